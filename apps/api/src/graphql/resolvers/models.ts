import { platformVersion } from '@pademelon/contracts';
import {
  DomainError,
  type Model,
  type ModelConfig,
  type ModelVersion,
  type ModelVersionFilter,
  notFound,
} from '@pademelon/domain';
import { runtimeWord } from '../../dialects/runtime-word.ts';
import { atPath } from '../at-path.ts';
import { Conditions, type Where } from '../conditions.ts';
import { given } from '../given.ts';
import { type OrderBy, orderRows } from '../order-rows.ts';
import type { RequestContext, Resolvers } from '../request-context.ts';

const versionColumns = {
  id: (version: ModelVersion) => version.id,
  created_at: (version: ModelVersion) => version.createdAt,
  updated_at: (version: ModelVersion) => version.updatedAt,
};

/** In this schema `models` are model families and `model` is a version of one. */
export const modelResolvers: Resolvers = {
  Query: {
    model: findVersions,
    search_models: findVersions,
    model_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.modelVersion.load(id),
    model_config_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.modelConfig.load(id),
  },
  Mutation: { insert_model_config: configure, update_model: setVisibility },
  models: {
    workspace: (model: Model, _args: unknown, { loaders }) => loaders.workspace.load(model.workspaceId),
    models: async (model: Model, args: { order_by?: OrderBy; limit?: number | null }, { loaders }) =>
      orderRows(await loaders.versionsOfModel.load(model.id), args.order_by, versionColumns).slice(
        0,
        args.limit ?? undefined,
      ),
  },
  model: {
    model_id: (version: ModelVersion) => version.modelName,
    model_version: (version: ModelVersion) => version.version,
    models_pk_id: (version: ModelVersion) => version.modelId,
    owner_id: (version: ModelVersion) => version.createdById,
    created_on_version: () => platformVersion,
    conversion: (version: ModelVersion, { path }: { path?: string | null }) => atPath(version.conversion, path),
    model_tags: (version: ModelVersion, _args: unknown, { loaders }) => loaders.tagsOfModelVersion.load(version.id),
    model: (version: ModelVersion, _args: unknown, { loaders }) => loaders.model.load(version.modelId),
  },
  model_config: {
    model_id: (config: ModelConfig) => config.modelVersionId,
    runtime: (config: ModelConfig) => runtimeWord(config.runtime),
    dynamic_batching_config: ({ dynamicBatchingConfig: batching }: ModelConfig) =>
      batching && {
        max_batch_delay_ms: batching.maxBatchDelayMs,
        batch_size_target: batching.batchSizeTarget,
        batch_size_limit: batching.batchSizeLimit,
      },
    continuous_batching_config: ({ continuousBatchingConfig: batching }: ModelConfig) =>
      batching && { max_concurrent_batch_size: batching.maxConcurrentBatchSize },
    model: (config: ModelConfig, _args: unknown, { loaders }) => loaders.modelVersion.load(config.modelVersionId),
  },
};

async function findVersions(
  _root: unknown,
  { args, where, order_by }: { args?: { search?: string | null }; where?: Where; order_by?: OrderBy },
  { caller, services, loaders }: RequestContext,
): Promise<readonly ModelVersion[]> {
  const conditions = new Conditions(where);
  const filter = versionFilter(conditions, args?.search ?? '');
  if (filter === null) return [];
  const id = conditions.equal<number>('id');
  const found = await services.models.searchVersions(caller, filter);
  const versions = found.filter((version) => id === undefined || version.id === id);
  for (const version of versions) loaders.modelVersion.prime(version.id, version);
  return orderRows(versions, order_by, versionColumns);
}

/** Null when the conditions contradict each other, so that no version can meet them. */
function versionFilter(conditions: Conditions, term: string): ModelVersionFilter | null {
  const byId = conditions.equal<number>('model.workspace_id');
  const byPath = conditions.equal<number>('model.workspace.id');
  if (conditions.isContradictory || (byId !== undefined && byPath !== undefined && byId !== byPath)) return null;
  return {
    term,
    ...given('name', conditions.equal<string>('model_id')),
    ...given('version', conditions.equal<string>('model_version')),
    ...given('ownerId', conditions.equal<string>('owner_id')),
    ...given('workspaceId', byId ?? byPath),
    ...given('workspaceName', conditions.equal<string>('model.workspace.name')),
    ...given('createdFrom', conditions.from('created_at')),
    ...given('createdTo', conditions.to('created_at')),
  };
}

interface NewModelConfig {
  readonly model_id?: number | null;
  readonly tensor_fields?: unknown;
  readonly filter_threshold?: number | null;
  readonly input_schema?: string | null;
  readonly output_schema?: string | null;
  readonly batch_config?: string | null;
}

/** The runtime that the 2023 SDK guesses from the file name is not needed: the version knows what it is. */
async function configure(
  _root: unknown,
  { objects }: { objects: readonly NewModelConfig[] },
  { caller, services }: RequestContext,
): Promise<{ returning: ModelConfig[] }> {
  const returning: ModelConfig[] = [];
  for (const object of objects) {
    if (object.model_id == null) throw notFound('model version', 'null');
    const config = await services.models.configure(caller, object.model_id, {
      ...given('tensorFields', readFields(object.tensor_fields)),
      ...given('filterThreshold', object.filter_threshold ?? undefined),
      ...given('inputSchema', object.input_schema ?? undefined),
      ...given('outputSchema', object.output_schema ?? undefined),
      ...given('batchConfig', object.batch_config ?? undefined),
    });
    returning.push(config);
  }
  return { returning };
}

function readFields(fields: unknown): readonly string[] | undefined {
  if (fields == null) return undefined;
  if (Array.isArray(fields) && fields.every((field) => typeof field === 'string')) return fields;
  throw new DomainError('invalid_input', 'The tensor_fields must be a list of names.');
}

async function setVisibility(
  _root: unknown,
  { where, _set }: { where: Where; _set?: { visibility?: string | null } | null },
  { caller, services }: RequestContext,
): Promise<{ returning: ModelVersion[] }> {
  const conditions = new Conditions(where);
  const id = conditions.equal<number>('id');
  if (id === undefined) throw new DomainError('invalid_input', 'Say which model is to be changed: where id _eq.');
  if (conditions.isContradictory) return { returning: [] };
  const version = await services.models.setVisibility(caller, id, _set?.visibility ?? '');
  return { returning: version === null ? [] : [version] };
}
