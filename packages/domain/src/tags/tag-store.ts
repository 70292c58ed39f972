import type { ModelTag, PipelineTag, Tag } from './tag.ts';

/**
 * Where tags are kept. Methods with `visibleTo` see the tags that this user made or that mark something in one of the
 * user's workspaces, and of the marks only those on such things. The others do not check who asks.
 */
export interface TagStore {
  create(tag: string, ownerId: string): Promise<Tag>;
  /** Newest first. */
  list(visibleTo: string): Promise<Tag[]>;
  /** In no particular order. */
  findMany(visibleTo: string, ids: readonly number[]): Promise<Tag[]>;
  /** Marks on the model versions, newest first. */
  onModelVersions(visibleTo: string, modelVersionIds: readonly number[]): Promise<ModelTag[]>;
  /** Marks on the pipelines, newest first. */
  onPipelines(visibleTo: string, pipelineIds: readonly number[]): Promise<PipelineTag[]>;
  /** The model versions that the tags mark, newest mark first. */
  modelVersionsWith(visibleTo: string, tagIds: readonly number[]): Promise<ModelTag[]>;
  /** The pipelines that the tags mark, newest mark first. */
  pipelinesWith(visibleTo: string, tagIds: readonly number[]): Promise<PipelineTag[]>;
  /** Resolves to the mark, the existing one when there is one already. */
  addToModelVersion(tagId: number, modelVersionId: number): Promise<ModelTag>;
  addToPipeline(tagId: number, pipelineId: number): Promise<PipelineTag>;
  /** Resolves to the mark that was removed, or null when there was none. */
  removeFromModelVersion(tagId: number, modelVersionId: number): Promise<ModelTag | null>;
  removeFromPipeline(tagId: number, pipelineId: number): Promise<PipelineTag | null>;
}
