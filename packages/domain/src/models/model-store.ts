import type { ModelVersionStatus } from '@pademelon/contracts';
import type { Conversion } from './conversion.ts';
import type { Model, ModelConfig, ModelConfigSettings, ModelVersion, ModelVersionFilter, Visibility } from './model.ts';
import type { ModelSignature } from './model-signature.ts';

/**
 * Where models, their versions and configurations are kept. Reading methods take the id of the user for whom they read
 * and see only what is in that user's workspaces, so that no caller can forget the question.
 */
export interface ModelStore {
  /**
   * Adds a version with its first configuration to the model of that name in the workspace, making the model when it
   * is new, all at once. A version that is not ready is handed to the packagers. Does not check whether the creator may
   * write there.
   */
  addVersion(input: NewModelVersion): Promise<ModelVersion>;
  /** In no particular order. */
  findModels(visibleTo: string, ids: readonly number[]): Promise<Model[]>;
  /** Last changed first. `workspaceId` or `workspaceName` absent: every workspace of the user. */
  listModels(visibleTo: string, workspace: { workspaceId?: number; workspaceName?: string }): Promise<Model[]>;
  /** In no particular order. */
  findVersions(visibleTo: string, ids: readonly number[]): Promise<ModelVersion[]>;
  /** All versions of the models, newest first. */
  versionsOf(visibleTo: string, modelIds: readonly number[]): Promise<ModelVersion[]>;
  /** Newest first; at most `limit`. */
  searchVersions(visibleTo: string, filter: ModelVersionFilter, limit: number): Promise<ModelVersion[]>;
  /** What packaging said of a version so far; empty for one that needs none. */
  buildLog(visibleTo: string, id: number): Promise<string>;
  /** Resolves to the changed version, or null when the user sees no such version. */
  setVisibility(visibleTo: string, id: number, visibility: Visibility): Promise<ModelVersion | null>;
  /** Does not check who asks. */
  addConfig(modelVersionId: number, runtime: string, settings: ModelConfigSettings): Promise<ModelConfig>;
  /** In no particular order. */
  findConfigs(visibleTo: string, ids: readonly number[]): Promise<ModelConfig[]>;
  /** The newest configuration of each version, in no particular order. */
  latestConfigs(visibleTo: string, versionIds: readonly number[]): Promise<ModelConfig[]>;
}

export interface NewModelVersion {
  readonly workspaceId: number;
  readonly name: string;
  readonly createdById: string;
  readonly sha: string;
  readonly sizeBytes: number;
  readonly fileName: string;
  readonly status: ModelVersionStatus;
  readonly visibility: Visibility;
  readonly conversion: Conversion;
  readonly inputSchema: string | null;
  readonly outputSchema: string | null;
  /** Null where only running the file would tell. */
  readonly signature: ModelSignature | null;
  readonly runtime: string;
}
