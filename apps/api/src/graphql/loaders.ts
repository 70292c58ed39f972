import type {
  Caller,
  Deployment,
  Model,
  ModelConfig,
  ModelTag,
  ModelVersion,
  Pipeline,
  PipelineTag,
  PipelineVersion,
  PipelineVersionHead,
  ServedVersion,
  Tag,
  Workspace,
} from '@pademelon/domain';
import DataLoader from 'dataloader';
import type { Services } from '../services.ts';

/**
 * Look-ups of one request: those that are made in the same turn of the event loop become one call of a service, and none
 * is made twice. All are made for the caller, so what the caller does not see is null or not in the list.
 */
export function createLoaders(services: Services, caller: Caller) {
  const { workspaces, models, pipelines, deployments, tags } = services;
  return {
    // A caller has few workspaces: all are read at the first look-up.
    workspace: oneOf<Workspace>(() => workspaces.list(caller), 'id'),
    modelsOfWorkspace: allOf<Model>(() => models.list(caller), 'workspaceId'),
    model: oneOf<Model>((ids) => models.findMany(caller, ids), 'id'),
    modelVersion: oneOf<ModelVersion>((ids) => models.findVersions(caller, ids), 'id'),
    versionsOfModel: allOf<ModelVersion>((ids) => models.versionsOf(caller, ids), 'modelId'),
    modelConfig: oneOf<ModelConfig>((ids) => models.findConfigs(caller, ids), 'id'),
    pipeline: oneOf<Pipeline>((ids) => pipelines.findMany(caller, ids), 'id'),
    pipelineVersion: oneOf<PipelineVersion>((ids) => pipelines.findVersions(caller, ids), 'id'),
    versionsOfPipeline: allOf<PipelineVersionHead>((ids) => pipelines.versionsOf(caller, ids), 'pipelineId'),
    deployment: oneOf<Deployment>((ids) => deployments.findMany(caller, ids), 'id'),
    deploymentOfPipeline: oneOf<Deployment>((ids) => deployments.ofPipelines(caller, ids), 'pipelineId'),
    servedVersions: allOf<ServedVersion>((ids) => deployments.servedVersions(caller, ids), 'pipelineVersionId'),
    tag: oneOf<Tag>((ids) => tags.findMany(caller, ids), 'id'),
    tagsOfModelVersion: allOf<ModelTag>((ids) => tags.onModelVersions(caller, ids), 'modelVersionId'),
    tagsOfPipeline: allOf<PipelineTag>((ids) => tags.onPipelines(caller, ids), 'pipelineId'),
    modelVersionsWithTag: allOf<ModelTag>((ids) => tags.modelVersionsWith(caller, ids), 'tagId'),
    pipelinesWithTag: allOf<PipelineTag>((ids) => tags.pipelinesWith(caller, ids), 'tagId'),
    modelConfigIdsOfVersion: new DataLoader<number, readonly number[]>(async (ids) => {
      const found = await deployments.modelConfigIdsOf(caller, ids);
      return ids.map((id) => found.get(id) ?? []);
    }),
  };
}

export type Loaders = ReturnType<typeof createLoaders>;

/** Loads the one row of which the column has the id. */
export function oneOf<Row>(fetch: (ids: readonly number[]) => Promise<readonly Row[]>, column: keyof Row) {
  return new DataLoader<number, Row | null>(async (ids) => {
    const rows = new Map((await fetch(ids)).map((row) => [row[column], row]));
    return ids.map((id) => rows.get(id as Row[keyof Row]) ?? null);
  });
}

/** Loads all rows of which the column has the id, in the order in which they are fetched. */
export function allOf<Row>(fetch: (ids: readonly number[]) => Promise<readonly Row[]>, column: keyof Row) {
  return new DataLoader<number, readonly Row[]>(async (ids) => {
    const groups = Map.groupBy(await fetch(ids), (row) => row[column]);
    return ids.map((id) => groups.get(id as Row[keyof Row]) ?? []);
  });
}
