import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import type { ModelService } from '../models/model-service.ts';
import type { PipelineService } from '../pipelines/pipeline-service.ts';
import { isStorableText } from '../plain-json.ts';
import { isRowId } from '../row-id.ts';
import type { ModelTag, PipelineTag, Tag } from './tag.ts';
import type { TagStore } from './tag-store.ts';

const maxTagLength = 255;

export interface TagServiceOptions {
  readonly store: TagStore;
  readonly models: ModelService;
  readonly pipelines: PipelineService;
}

/**
 * Use cases of tags. A tag is seen by the user who made it and by the members of every workspace in which it marks
 * something; whoever sees both a tag and a thing may put the one on the other or take it off.
 */
export class TagService {
  readonly #store: TagStore;
  readonly #models: ModelService;
  readonly #pipelines: PipelineService;

  constructor({ store, models, pipelines }: TagServiceOptions) {
    this.#store = store;
    this.#models = models;
    this.#pipelines = pipelines;
  }

  /** Throws `invalid_input` for a text that is empty, longer than 255 characters, or that cannot be stored. */
  async create(caller: Caller, tag: string): Promise<Tag> {
    if (tag.length === 0 || tag.length > maxTagLength || !isStorableText(tag)) {
      throw new DomainError('invalid_input', `A tag must have 1 to ${maxTagLength} characters.`);
    }
    return this.#store.create(tag, caller.userId);
  }

  /** Newest first. */
  async list(caller: Caller): Promise<Tag[]> {
    return this.#store.list(caller.userId);
  }

  async get(caller: Caller, id: number): Promise<Tag> {
    const [tag] = await this.findMany(caller, [id]);
    if (tag === undefined) throw notFound('tag', id);
    return tag;
  }

  /** Those of the tags that the caller sees, in no particular order. */
  async findMany(caller: Caller, ids: readonly number[]): Promise<Tag[]> {
    return this.#store.findMany(caller.userId, ids.filter(isRowId));
  }

  async onModelVersions(caller: Caller, modelVersionIds: readonly number[]): Promise<ModelTag[]> {
    return this.#store.onModelVersions(caller.userId, modelVersionIds.filter(isRowId));
  }

  async onPipelines(caller: Caller, pipelineIds: readonly number[]): Promise<PipelineTag[]> {
    return this.#store.onPipelines(caller.userId, pipelineIds.filter(isRowId));
  }

  async modelVersionsWith(caller: Caller, tagIds: readonly number[]): Promise<ModelTag[]> {
    return this.#store.modelVersionsWith(caller.userId, tagIds.filter(isRowId));
  }

  async pipelinesWith(caller: Caller, tagIds: readonly number[]): Promise<PipelineTag[]> {
    return this.#store.pipelinesWith(caller.userId, tagIds.filter(isRowId));
  }

  /** Harmless when the tag is there already. Throws `not_found` for a tag or a version that the caller does not see. */
  async addToModelVersion(caller: Caller, tagId: number, modelVersionId: number): Promise<ModelTag> {
    await this.get(caller, tagId);
    await this.#models.getVersion(caller, modelVersionId);
    return this.#store.addToModelVersion(tagId, modelVersionId);
  }

  async addToPipeline(caller: Caller, tagId: number, pipelineId: number): Promise<PipelineTag> {
    await this.get(caller, tagId);
    await this.#pipelines.get(caller, pipelineId);
    return this.#store.addToPipeline(tagId, pipelineId);
  }

  /** Resolves to null when the tag was not on it. */
  async removeFromModelVersion(caller: Caller, tagId: number, modelVersionId: number): Promise<ModelTag | null> {
    await this.get(caller, tagId);
    await this.#models.getVersion(caller, modelVersionId);
    return this.#store.removeFromModelVersion(tagId, modelVersionId);
  }

  async removeFromPipeline(caller: Caller, tagId: number, pipelineId: number): Promise<PipelineTag | null> {
    await this.get(caller, tagId);
    await this.#pipelines.get(caller, pipelineId);
    return this.#store.removeFromPipeline(tagId, pipelineId);
  }
}
