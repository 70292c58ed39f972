import type { Caller } from '../caller.ts';
import { notFound } from '../domain-error.ts';
import { isRowId, isUuid } from '../row-id.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import type { Orchestration } from './orchestration.ts';
import type { OrchestrationStore } from './orchestration-store.ts';

/** Reading orchestrations; uploads are in OrchestrationUpload, packaging is the workers'. */
export class OrchestrationService {
  readonly #store: OrchestrationStore;
  readonly #workspaces: WorkspaceService;

  constructor(store: OrchestrationStore, workspaces: WorkspaceService) {
    this.#store = store;
    this.#workspaces = workspaces;
  }

  async get(caller: Caller, id: string): Promise<Orchestration> {
    const found = await this.find(caller, id);
    if (found === null) throw notFound('orchestration', id);
    return found;
  }

  /** Null when the caller sees no such orchestration. */
  async find(caller: Caller, id: string): Promise<Orchestration | null> {
    return isUuid(id) ? this.#store.find(caller.userId, id) : null;
  }

  /** Those of one workspace, last changed first. Throws `not_found` for a workspace that the caller is not in. */
  async list(caller: Caller, workspaceId: number): Promise<Orchestration[]> {
    await this.#workspaces.get(caller, workspaceId);
    return this.#store.list(caller.userId, [workspaceId]);
  }

  /** Those of the workspaces that the caller is in, of these or, when none is named, of all. Last changed first. */
  async listAll(caller: Caller, workspaceIds: readonly number[]): Promise<Orchestration[]> {
    return workspaceIds.length === 0
      ? this.#store.list(caller.userId)
      : this.#store.list(caller.userId, workspaceIds.filter(isRowId));
  }

  /** What the packaging said, line by line; empty before it has begun. */
  async getBuildLog(caller: Caller, id: string): Promise<string[]> {
    const text = isUuid(id) ? await this.#store.findBuildLog(caller.userId, id) : null;
    if (text === null) throw notFound('orchestration', id);
    return text === '' ? [] : text.replace(/\n$/, '').split('\n');
  }
}
