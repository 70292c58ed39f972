import { platformVersion } from '@pademelon/contracts';
import { DomainError, type Pipeline, type PipelineFilter, type PipelineVersionHead } from '@pademelon/domain';
import { atPath } from '../at-path.ts';
import { Conditions, type Where } from '../conditions.ts';
import { given } from '../given.ts';
import { type OrderBy, orderRows } from '../order-rows.ts';
import type { RequestContext, Resolvers } from '../request-context.ts';

const versionColumns = {
  id: (version: PipelineVersionHead) => version.id,
  created_at: (version: PipelineVersionHead) => version.createdAt,
};

export const pipelineResolvers: Resolvers = {
  Query: {
    pipeline: listPipelines,
    pipeline_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.pipeline.load(id),
    pipeline_version_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.pipelineVersion.load(id),
    search_pipelines: searchVersions,
  },
  Mutation: { update_pipeline: setVisibility },
  pipeline: {
    pipeline_id: (pipeline: Pipeline) => pipeline.name,
    workspace: (pipeline: Pipeline, _args: unknown, { loaders }) => loaders.workspace.load(pipeline.workspaceId),
    pipeline_versions: async (pipeline: Pipeline, { order_by }: { order_by?: OrderBy }, { loaders }) =>
      orderRows(await loaders.versionsOfPipeline.load(pipeline.id), order_by, versionColumns),
    pipeline_tags: (pipeline: Pipeline, _args: unknown, { loaders }) => loaders.tagsOfPipeline.load(pipeline.id),
    deployment: (pipeline: Pipeline, _args: unknown, { loaders }) => loaders.deploymentOfPipeline.load(pipeline.id),
  },
  pipeline_version: {
    created_on_version: () => platformVersion,
    pipeline_pk_id: (version: PipelineVersionHead) => version.pipelineId,
    definition: async (version: PipelineVersionHead, { path }: { path?: string | null }, { loaders }) =>
      atPath((await loaders.pipelineVersion.load(version.id))?.definition, path),
    pipeline: (version: PipelineVersionHead, _args: unknown, { loaders }) => loaders.pipeline.load(version.pipelineId),
    deployment_pipeline_versions: (version: PipelineVersionHead, _args: unknown, { loaders }) =>
      loaders.servedVersions.load(version.id),
    deployment_model_configs: async (version: PipelineVersionHead, _args: unknown, { loaders }) =>
      (await loaders.modelConfigIdsOfVersion.load(version.id)).map((modelConfigId) => ({ modelConfigId })),
    pipeline_publishes: () => [],
  },
};

async function listPipelines(
  _root: unknown,
  { where, order_by }: { where?: Where; order_by?: OrderBy },
  { caller, services, loaders }: RequestContext,
): Promise<readonly Pipeline[]> {
  const conditions = new Conditions(where);
  const filter = pipelineFilter(conditions, '');
  if (filter === null) return [];
  const id = conditions.equal<number>('id');
  const pipelines = await services.pipelines.list(caller, filter);
  for (const pipeline of pipelines) loaders.pipeline.prime(pipeline.id, pipeline);
  return orderRows(
    pipelines.filter((pipeline) => id === undefined || pipeline.id === id),
    order_by,
    { id: (pipeline) => pipeline.id, created_at: (pipeline) => pipeline.createdAt },
  );
}

async function searchVersions(
  _root: unknown,
  { args, where, order_by }: { args: { search?: string | null }; where?: Where; order_by?: OrderBy },
  { caller, services }: RequestContext,
): Promise<readonly PipelineVersionHead[]> {
  const conditions = new Conditions(where);
  const pipeline = pipelineFilter(conditions, 'pipeline.');
  if (pipeline === null) return [];
  const found = await services.pipelines.searchVersions(caller, {
    term: args.search ?? '',
    pipeline,
    ...given('ownerId', conditions.equal<string>('owner_id')),
    ...given('createdFrom', conditions.from('created_at')),
    ...given('createdTo', conditions.to('created_at')),
    ...given('updatedFrom', conditions.from('updated_at')),
    ...given('updatedTo', conditions.to('updated_at')),
  });
  return orderRows(found, order_by, versionColumns);
}

/** Null when the conditions contradict each other, so that no pipeline can meet them. */
function pipelineFilter(conditions: Conditions, prefix: string): PipelineFilter | null {
  const byId = conditions.equal<number>(`${prefix}workspace_id`);
  const byPath = conditions.equal<number>(`${prefix}workspace.id`);
  if (conditions.isContradictory || (byId !== undefined && byPath !== undefined && byId !== byPath)) return null;
  return {
    ...given('name', conditions.equal<string>(`${prefix}pipeline_id`)),
    ...given('workspaceId', byId ?? byPath),
    ...given('workspaceName', conditions.equal<string>(`${prefix}workspace.name`)),
    ...given('isDeployed', conditions.equal<boolean>(`${prefix}deployment.deployed`)),
  };
}

async function setVisibility(
  _root: unknown,
  { where, _set }: { where: Where; _set?: { visibility?: string | null } | null },
  { caller, services }: RequestContext,
): Promise<{ returning: Pipeline[] }> {
  const conditions = new Conditions(where);
  const id = conditions.equal<number>('id');
  if (id === undefined) throw new DomainError('invalid_input', 'Say which pipeline is to be changed: where id _eq.');
  if (conditions.isContradictory) return { returning: [] };
  const pipeline = await services.pipelines.setVisibility(caller, id, _set?.visibility ?? '');
  return { returning: pipeline === null ? [] : [pipeline] };
}
