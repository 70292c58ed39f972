import { DomainError, type ModelTag, notFound, type PipelineTag, type Tag } from '@pademelon/domain';
import { Conditions, type Where } from '../conditions.ts';
import { type OrderBy, orderRows } from '../order-rows.ts';
import type { RequestContext, Resolvers } from '../request-context.ts';

export const tagResolvers: Resolvers = {
  Query: {
    tag: async (_root: unknown, { order_by }: { order_by?: OrderBy }, { caller, services }) =>
      orderRows(await services.tags.list(caller), order_by, { id: (tag) => tag.id }),
    tag_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.tag.load(id),
  },
  Mutation: {
    insert_tag: createTags,
    insert_model_tag: addToModels,
    delete_model_tag: removeFromModel,
    insert_pipeline_tag: addToPipelines,
    delete_pipeline_tag: removeFromPipeline,
  },
  tag: {
    model_tags: (tag: Tag, _args: unknown, { loaders }) => loaders.modelVersionsWithTag.load(tag.id),
    pipeline_tags: (tag: Tag, _args: unknown, { loaders }) => loaders.pipelinesWithTag.load(tag.id),
  },
  model_tag: {
    model_id: (mark: ModelTag) => mark.modelVersionId,
    tag: (mark: ModelTag, _args: unknown, { loaders }) => loaders.tag.load(mark.tagId),
    model: (mark: ModelTag, _args: unknown, { loaders }) => loaders.modelVersion.load(mark.modelVersionId),
  },
  pipeline_tag: {
    pipeline_pk_id: (mark: PipelineTag) => mark.pipelineId,
    tag_pk_id: (mark: PipelineTag) => mark.tagId,
    tag: (mark: PipelineTag, _args: unknown, { loaders }) => loaders.tag.load(mark.tagId),
    pipeline: (mark: PipelineTag, _args: unknown, { loaders }) => loaders.pipeline.load(mark.pipelineId),
  },
};

async function createTags(
  _root: unknown,
  { objects }: { objects: readonly { tag?: string | null }[] },
  { caller, services }: RequestContext,
): Promise<{ returning: Tag[] }> {
  const returning: Tag[] = [];
  for (const { tag } of objects) returning.push(await services.tags.create(caller, tag ?? ''));
  return { returning };
}

async function addToModels(
  _root: unknown,
  { objects }: { objects: readonly { model_id?: number | null; tag_id?: number | null }[] },
  { caller, services }: RequestContext,
): Promise<{ returning: ModelTag[] }> {
  const returning: ModelTag[] = [];
  for (const { model_id, tag_id } of objects) {
    if (model_id == null || tag_id == null) throw notFound('tag or model version', 'null');
    returning.push(await services.tags.addToModelVersion(caller, tag_id, model_id));
  }
  return { returning };
}

async function addToPipelines(
  _root: unknown,
  { objects }: { objects: readonly { pipeline_pk_id?: number | null; tag_pk_id?: number | null }[] },
  { caller, services }: RequestContext,
): Promise<{ returning: PipelineTag[] }> {
  const returning: PipelineTag[] = [];
  for (const { pipeline_pk_id, tag_pk_id } of objects) {
    if (pipeline_pk_id == null || tag_pk_id == null) throw notFound('tag or pipeline', 'null');
    returning.push(await services.tags.addToPipeline(caller, tag_pk_id, pipeline_pk_id));
  }
  return { returning };
}

async function removeFromModel(_root: unknown, { where }: { where: Where }, { caller, services }: RequestContext) {
  const [tagId, modelVersionId] = requireBoth(where, 'tag_id', 'model_id');
  const mark = await services.tags.removeFromModelVersion(caller, tagId, modelVersionId);
  return { returning: mark === null ? [] : [mark] };
}

async function removeFromPipeline(_root: unknown, { where }: { where: Where }, { caller, services }: RequestContext) {
  const [tagId, pipelineId] = requireBoth(where, 'tag_pk_id', 'pipeline_pk_id');
  const mark = await services.tags.removeFromPipeline(caller, tagId, pipelineId);
  return { returning: mark === null ? [] : [mark] };
}

function requireBoth(where: Where, tagColumn: string, thingColumn: string): [number, number] {
  const conditions = new Conditions(where);
  const tagId = conditions.equal<number>(tagColumn);
  const thingId = conditions.equal<number>(thingColumn);
  if (tagId === undefined || thingId === undefined || conditions.isContradictory) {
    throw new DomainError(
      'invalid_input',
      `Say which tag is to come off what: ${tagColumn} and ${thingColumn}, once each.`,
    );
  }
  return [tagId, thingId];
}
