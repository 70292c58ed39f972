import { type Deployment, DomainError, notFound, type ServedVersion } from '@pademelon/domain';
import { Conditions, type Where } from '../conditions.ts';
import type { OrderBy } from '../order-rows.ts';
import type { RequestContext, Resolvers } from '../request-context.ts';

/** A configuration that a deployment, or a pipeline version, uses. */
interface UsedModelConfig {
  readonly deploymentId?: number;
  readonly modelConfigId: number;
}

export const deploymentResolvers: Resolvers = {
  Query: {
    deployment: listDeployments,
    deployment_by_pk: (_root: unknown, { id }: { id: number }, { loaders }) => loaders.deployment.load(id),
  },
  Mutation: {
    update_deployment_by_pk: setDeployed,
    insert_deployment_model_configs: replaceModelConfigs,
  },
  deployment: {
    deployed: (deployment: Deployment) => deployment.isDeployed,
    pipeline: (deployment: Deployment, _args: unknown, { loaders }) => loaders.pipeline.load(deployment.pipelineId),
    deployment_model_configs: usedConfigs,
    deployment_model_configs_aggregate: (deployment: Deployment, args: { distinct_on?: readonly string[] | null }) => ({
      // All rows have the same deployment, so of those distinct by it there is one.
      nodes: usedConfigs(deployment).slice(0, args.distinct_on?.includes('deployment_id') ? 1 : undefined),
    }),
    deployment_pipeline_versions: (deployment: Deployment, { order_by }: { order_by?: NestedOrderBy }) =>
      (order_by ?? []).some((order) => order['pipeline_version']?.['id'] === 'asc')
        ? deployment.servedVersions.toReversed()
        : deployment.servedVersions,
  },
  deployment_model_configs: {
    // The rows have no id of their own that would mean anything: the configuration's tells them apart.
    id: (used: UsedModelConfig) => used.modelConfigId,
    model_config: (used: UsedModelConfig, _args: unknown, { loaders }) => loaders.modelConfig.load(used.modelConfigId),
  },
  deployment_pipeline_version: {
    deployment: (served: ServedVersion, _args: unknown, { loaders }) => loaders.deployment.load(served.deploymentId),
    pipeline_version: (served: ServedVersion, _args: unknown, { loaders }) =>
      loaders.pipelineVersion.load(served.pipelineVersionId),
  },
};

type NestedOrderBy = readonly { readonly [relation: string]: NonNullable<OrderBy>[number] | null }[] | null;

function usedConfigs({ id, modelConfigIds }: Deployment): UsedModelConfig[] {
  return modelConfigIds.map((modelConfigId) => ({ deploymentId: id, modelConfigId }));
}

async function listDeployments(
  _root: unknown,
  { where }: { where?: Where },
  { caller, services }: RequestContext,
): Promise<Deployment[]> {
  const conditions = new Conditions(where);
  if (conditions.isContradictory) return [];
  const id = conditions.equal<number>('id');
  const deployId = conditions.equal<string>('deploy_id');
  const isDeployed = conditions.equal<boolean>('deployed');
  return services.deployments.list(caller, {
    ...(id === undefined ? {} : { id }),
    ...(deployId === undefined ? {} : { deployId }),
    ...(isDeployed === undefined ? {} : { isDeployed }),
  });
}

/** Resolves to null when the caller sees no such deployment. */
async function setDeployed(
  _root: unknown,
  { pk_columns, _set }: { pk_columns: { id: number }; _set?: { deployed?: boolean | null } | null },
  { caller, services }: RequestContext,
): Promise<Deployment | null> {
  const [deployment] = await services.deployments.findMany(caller, [pk_columns.id]);
  if (deployment === undefined) return null;
  if (_set?.deployed === true) return services.deployments.redeploy(caller, deployment.id);
  if (_set?.deployed === false) return services.deployments.undeploy(caller, deployment.id);
  throw new DomainError('invalid_input', 'Say what is to change: _set deployed.');
}

async function replaceModelConfigs(
  _root: unknown,
  { objects }: { objects: readonly { deployment_id?: number | null; model_config_id?: number | null }[] },
  { caller, services }: RequestContext,
): Promise<{ returning: UsedModelConfig[] }> {
  const returning: UsedModelConfig[] = [];
  for (const { deployment_id, model_config_id } of objects) {
    if (deployment_id == null) throw notFound('deployment', 'null');
    if (model_config_id == null) throw notFound('model configuration', 'null');
    await services.deployments.replaceModelConfig(caller, deployment_id, model_config_id);
    returning.push({ deploymentId: deployment_id, modelConfigId: model_config_id });
  }
  return { returning };
}
