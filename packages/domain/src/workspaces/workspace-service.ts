import type { WorkspaceRole } from '@pademelon/contracts';
import { type Caller, requirePerson } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import { isRowId } from '../row-id.ts';
import { isMember, isOwner, type Workspace } from './workspace.ts';
import type { WorkspaceStore } from './workspace-store.ts';

/** Use cases of workspaces, and the one place that decides whether a caller is inside one. */
export class WorkspaceService {
  readonly #store: WorkspaceStore;

  constructor(store: WorkspaceStore) {
    this.#store = store;
  }

  async create(caller: Caller, name: string): Promise<Workspace> {
    return this.#store.create({ name, createdById: caller.userId });
  }

  async list(caller: Caller): Promise<Workspace[]> {
    return this.#store.listForUser(caller.userId);
  }

  /** Throws `not_found`, whether the workspace does not exist or the caller is not a member. */
  async get(caller: Caller, id: number): Promise<Workspace> {
    const workspace = isRowId(id) ? await this.#store.findById(id) : null;
    if (workspace === null || !isMember(workspace, caller.userId)) throw notFound('workspace', id);
    return workspace;
  }

  /**
   * The caller's default workspace, made at first use: the SDKs open a session in it. A workspace of that name which the
   * caller owns becomes it; one that somebody else took the name for does not keep the caller out.
   */
  async getOrCreateDefault(caller: Caller, name = `${caller.email} - Default Workspace`): Promise<Workspace> {
    const existing = await this.#store.findDefault(caller.userId);
    if (existing !== null) return existing;
    const sameName = await this.#store.findByName(name);
    if (sameName !== null && isOwner(sameName, caller.userId)) {
      await this.#store.setDefault(caller.userId, sameName.id);
      return sameName;
    }
    const freeName = sameName === null ? name : `${name} (${caller.userId})`;
    return this.#store.create({ name: freeName, createdById: caller.userId, isDefault: true });
  }

  async addMember(caller: Caller, workspaceId: number, userId: string, role: WorkspaceRole): Promise<void> {
    requirePerson(caller, 'change the members of a workspace');
    await this.#requireOwner(caller, workspaceId);
    await this.#store.setMember(workspaceId, userId, role);
  }

  /** Resolves to the number of members removed: 1, or 0 when the user was not in the workspace. */
  async removeMember(caller: Caller, workspaceId: number, userId: string): Promise<0 | 1> {
    requirePerson(caller, 'change the members of a workspace');
    if (userId === caller.userId) await this.get(caller, workspaceId);
    else await this.#requireOwner(caller, workspaceId);
    return (await this.#store.removeMember(workspaceId, userId)) ? 1 : 0;
  }

  async #requireOwner(caller: Caller, workspaceId: number): Promise<void> {
    const workspace = await this.get(caller, workspaceId);
    if (!isOwner(workspace, caller.userId)) {
      throw new DomainError('forbidden', 'Only an owner of the workspace can change its members.');
    }
  }
}
