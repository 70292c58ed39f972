import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import { isJsonObject, isStorableText, requirePlainJson } from '../plain-json.ts';
import { isRowId, isUuid } from '../row-id.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import type {
  Pipeline,
  PipelineDefinition,
  PipelineFilter,
  PipelineVersion,
  PipelineVersionFilter,
  PipelineVersionHead,
} from './pipeline.ts';
import { requirePipelineName } from './pipeline-name.ts';
import type { PipelineStore } from './pipeline-store.ts';
import { parseSteps } from './steps/parse-steps.ts';
import { requireServable } from './steps/unsupported-steps.ts';

const searchLimit = 10_000;

/** Use cases of pipelines and their versions. */
export class PipelineService {
  readonly #store: PipelineStore;
  readonly #workspaces: WorkspaceService;

  constructor(store: PipelineStore, workspaces: WorkspaceService) {
    this.#store = store;
    this.#workspaces = workspaces;
  }

  /**
   * Adds a version with the definition (an object, or null for an empty one), making the pipeline when the workspace
   * has none of that name. Throws `not_found` for the workspace, `invalid_input` for a name or a definition that makes
   * no sense, and `unsupported` for steps that cannot be served: of what is refused at deploy, the 2026 SDK shows nothing.
   */
  async addVersion(
    caller: Caller,
    input: { workspaceId: number; name: string; definition: unknown; mustBeNew?: boolean },
  ): Promise<{ pipeline: Pipeline; version: PipelineVersion }> {
    requirePipelineName('pipeline', input.name);
    const definition = completeDefinition(input.name, input.definition ?? {});
    const workspace = await this.#workspaces.get(caller, input.workspaceId);
    return this.#store.addVersion({
      workspaceId: workspace.id,
      name: input.name,
      createdById: caller.userId,
      definition,
      mustBeNew: input.mustBeNew ?? false,
    });
  }

  /** Makes a new pipeline whose first version has the newest definition of the source. Throws `conflict`. */
  async copy(
    caller: Caller,
    source: { pipelineId: number; name: string; workspaceId: number },
  ): Promise<{ pipeline: Pipeline; version: PipelineVersion }> {
    const newest = await this.newestVersion(caller, source.pipelineId);
    const definition = { ...newest.definition, id: source.name };
    return this.addVersion(caller, { ...source, definition, mustBeNew: true });
  }

  async get(caller: Caller, id: number): Promise<Pipeline> {
    const [pipeline] = await this.findMany(caller, [id]);
    if (pipeline === undefined) throw notFound('pipeline', id);
    return pipeline;
  }

  /** Throws `not_found` when the workspace, or the pipeline in it, does not exist for the caller. */
  async getByName(caller: Caller, workspaceId: number, name: string): Promise<Pipeline> {
    const [pipeline] = await this.list(caller, { workspaceId, name });
    if (pipeline === undefined) throw notFound('pipeline', name);
    return pipeline;
  }

  /** Those of the pipelines that the caller sees, in no particular order. */
  async findMany(caller: Caller, ids: readonly number[]): Promise<Pipeline[]> {
    return this.#store.findMany(caller.userId, ids.filter(isRowId));
  }

  /** Newest first. */
  async list(caller: Caller, filter: PipelineFilter): Promise<Pipeline[]> {
    if (!canMatch(filter)) return [];
    return this.#store.list(caller.userId, filter);
  }

  async getVersion(caller: Caller, id: number): Promise<PipelineVersion> {
    const [version] = await this.findVersions(caller, [id]);
    if (version === undefined) throw notFound('pipeline version', id);
    return version;
  }

  /** By its UUID. */
  async getVersionByUuid(caller: Caller, uuid: string): Promise<PipelineVersion> {
    const version = isUuid(uuid) ? await this.#store.findVersion(caller.userId, uuid) : null;
    if (version === null) throw notFound('pipeline version', uuid);
    return version;
  }

  async newestVersion(caller: Caller, pipelineId: number): Promise<PipelineVersion> {
    const [newest] = await this.versionsOf(caller, [pipelineId]);
    if (newest === undefined) throw notFound('pipeline', pipelineId);
    return this.getVersion(caller, newest.id);
  }

  async findVersions(caller: Caller, ids: readonly number[]): Promise<PipelineVersion[]> {
    return this.#store.findVersions(caller.userId, ids.filter(isRowId));
  }

  /** All versions of the pipelines that the caller sees, newest first. */
  async versionsOf(caller: Caller, pipelineIds: readonly number[]): Promise<PipelineVersionHead[]> {
    return this.#store.versionsOf(caller.userId, pipelineIds.filter(isRowId));
  }

  /** Newest first, at most 10,000. */
  async searchVersions(caller: Caller, filter: PipelineVersionFilter): Promise<PipelineVersionHead[]> {
    if (!canMatch(filter.pipeline) || !isStorableText(filter.term)) return [];
    return this.#store.searchVersions(caller.userId, filter, searchLimit);
  }

  /** Resolves to null when the caller sees no such pipeline. */
  async setVisibility(caller: Caller, id: number, visibility: string): Promise<Pipeline | null> {
    if (visibility !== 'private' && visibility !== 'public') {
      throw new DomainError('invalid_input', 'The visibility must be "private" or "public".');
    }
    return isRowId(id) ? this.#store.setVisibility(caller.userId, id, visibility) : null;
  }
}

/** Whether the database can be asked: an id out of range or a text that it cannot hold names nothing. */
function canMatch({ workspaceId, name = '', workspaceName = '' }: PipelineFilter): boolean {
  return (workspaceId === undefined || isRowId(workspaceId)) && isStorableText(name) && isStorableText(workspaceName);
}

/**
 * The SDKs send `{}` for an empty pipeline and later read `definition["steps"]`, so what is missing is filled in.
 * Everything else stays as it was sent.
 */
function completeDefinition(name: string, sent: unknown): PipelineDefinition {
  if (!isJsonObject(sent)) throw new DomainError('invalid_input', 'The definition of a pipeline must be an object.');
  requirePlainJson('definition', sent);
  requireServable(parseSteps(sent['steps']));
  return { ...sent, id: typeof sent['id'] === 'string' ? sent['id'] : name, steps: (sent['steps'] ?? []) as unknown[] };
}
