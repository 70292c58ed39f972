import type {
  Pipeline,
  PipelineDefinition,
  PipelineFilter,
  PipelineVersion,
  PipelineVersionFilter,
  PipelineVersionHead,
} from './pipeline.ts';

/**
 * Where pipelines and their versions are kept. Reading methods take the id of the user for whom they read and see only
 * what is in that user's workspaces, so that no caller can forget the question.
 */
export interface PipelineStore {
  /**
   * Adds a version to the pipeline of that name in the workspace, making the pipeline when it is new. Does not check
   * whether the creator may write there. Throws `conflict` when it must be new and is not.
   */
  addVersion(input: NewPipelineVersion): Promise<{ pipeline: Pipeline; version: PipelineVersion }>;
  /** In no particular order. */
  findMany(visibleTo: string, ids: readonly number[]): Promise<Pipeline[]>;
  /** Newest first. */
  list(visibleTo: string, filter: PipelineFilter): Promise<Pipeline[]>;
  findVersions(visibleTo: string, ids: readonly number[]): Promise<PipelineVersion[]>;
  findVersion(visibleTo: string, version: string): Promise<PipelineVersion | null>;
  /** All versions of the pipelines, newest first. */
  versionsOf(visibleTo: string, pipelineIds: readonly number[]): Promise<PipelineVersionHead[]>;
  /** Newest first; at most `limit`. */
  searchVersions(visibleTo: string, filter: PipelineVersionFilter, limit: number): Promise<PipelineVersionHead[]>;
  /** Resolves to the changed pipeline, or null when the user sees no such pipeline. */
  setVisibility(visibleTo: string, id: number, visibility: string): Promise<Pipeline | null>;
}

export interface NewPipelineVersion {
  readonly workspaceId: number;
  readonly name: string;
  readonly createdById: string;
  readonly definition: PipelineDefinition;
  readonly mustBeNew?: boolean;
}
