import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import { isStorableText, requirePlainJson } from '../plain-json.ts';
import { isRowId, isUuid } from '../row-id.ts';
import type { WorkspaceService } from '../workspaces/workspace-service.ts';
import type { Model, ModelConfig, ModelConfigSettings, ModelVersion, ModelVersionFilter } from './model.ts';
import type { ModelStore } from './model-store.ts';

const searchLimit = 10_000;

/** Use cases of models, their versions and configurations; uploads are in ModelUpload. */
export class ModelService {
  readonly #store: ModelStore;
  readonly #workspaces: WorkspaceService;

  constructor(store: ModelStore, workspaces: WorkspaceService) {
    this.#store = store;
    this.#workspaces = workspaces;
  }

  /**
   * The models of one workspace, or of all the caller's workspaces, last changed first. Throws `not_found` for a
   * workspace that the caller is not in.
   */
  async list(caller: Caller, workspace: { workspaceId?: number; workspaceName?: string } = {}): Promise<Model[]> {
    const { workspaceId, workspaceName } = workspace;
    if (workspaceId !== undefined) await this.#workspaces.get(caller, workspaceId);
    if (workspaceName !== undefined && !(await this.#hasWorkspace(caller, workspaceName))) {
      throw notFound('workspace', workspaceName);
    }
    return this.#store.listModels(caller.userId, workspace);
  }

  async get(caller: Caller, id: number): Promise<Model> {
    const [model] = await this.findMany(caller, [id]);
    if (model === undefined) throw notFound('model', id);
    return model;
  }

  /** Those of the models that the caller sees, in no particular order. */
  async findMany(caller: Caller, ids: readonly number[]): Promise<Model[]> {
    return this.#store.findModels(caller.userId, ids.filter(isRowId));
  }

  async getVersion(caller: Caller, id: number): Promise<ModelVersion> {
    const [version] = await this.findVersions(caller, [id]);
    if (version === undefined) throw notFound('model version', id);
    return version;
  }

  /** Those of the versions that the caller sees, in no particular order. */
  async findVersions(caller: Caller, ids: readonly number[]): Promise<ModelVersion[]> {
    return this.#store.findVersions(caller.userId, ids.filter(isRowId));
  }

  /** What packaging said of the version so far. Throws `not_found`. */
  async buildLog(caller: Caller, id: number): Promise<string> {
    await this.getVersion(caller, id);
    return this.#store.buildLog(caller.userId, id);
  }

  /** All versions of the models that the caller sees, newest first. */
  async versionsOf(caller: Caller, modelIds: readonly number[]): Promise<ModelVersion[]> {
    return this.#store.versionsOf(caller.userId, modelIds.filter(isRowId));
  }

  /** Newest first, at most 10,000. */
  async searchVersions(caller: Caller, filter: ModelVersionFilter): Promise<ModelVersion[]> {
    if (!canMatch(filter)) return [];
    return this.#store.searchVersions(caller.userId, filter, searchLimit);
  }

  /** Resolves to null when the caller sees no such version. */
  async setVisibility(caller: Caller, versionId: number, visibility: string): Promise<ModelVersion | null> {
    if (visibility !== 'private' && visibility !== 'public') {
      throw new DomainError('invalid_input', 'The visibility must be "private" or "public".');
    }
    return isRowId(versionId) ? this.#store.setVisibility(caller.userId, versionId, visibility) : null;
  }

  /** Adds a configuration, which counts from the next deploy on. */
  async configure(
    caller: Caller,
    versionId: number,
    settings: Partial<ModelConfigSettings> = {},
  ): Promise<ModelConfig> {
    requirePlainJson('configuration', settings);
    const version = await this.getVersion(caller, versionId);
    return this.#store.addConfig(version.id, version.conversion.framework, {
      tensorFields: null,
      filterThreshold: null,
      inputSchema: version.inputSchema,
      outputSchema: version.outputSchema,
      batchConfig: null,
      dynamicBatchingConfig: null,
      continuousBatchingConfig: null,
      openai: null,
      ...settings,
    });
  }

  async getConfig(caller: Caller, id: number): Promise<ModelConfig> {
    const [config] = await this.findConfigs(caller, [id]);
    if (config === undefined) throw notFound('model configuration', id);
    return config;
  }

  async findConfigs(caller: Caller, ids: readonly number[]): Promise<ModelConfig[]> {
    return this.#store.findConfigs(caller.userId, ids.filter(isRowId));
  }

  /** The configuration that counts for a version. */
  async latestConfig(caller: Caller, versionId: number): Promise<ModelConfig> {
    const [config] = await this.latestConfigs(caller, [versionId]);
    if (config === undefined) throw notFound('model version', versionId);
    return config;
  }

  /** The configurations that count for those of the versions that the caller sees, in no particular order. */
  async latestConfigs(caller: Caller, versionIds: readonly number[]): Promise<ModelConfig[]> {
    return this.#store.latestConfigs(caller.userId, versionIds.filter(isRowId));
  }

  async #hasWorkspace(caller: Caller, name: string): Promise<boolean> {
    return (await this.#workspaces.list(caller)).some((workspace) => workspace.name === name);
  }
}

/** Whether the database can be asked: an id out of range or a text that it cannot hold names nothing. */
function canMatch(filter: ModelVersionFilter): boolean {
  const { term = '', name = '', ownerId = '', workspaceName = '', version, workspaceId } = filter;
  if (version !== undefined && !isUuid(version)) return false;
  if (workspaceId !== undefined && !isRowId(workspaceId)) return false;
  return [term, name, ownerId, workspaceName].every(isStorableText);
}
