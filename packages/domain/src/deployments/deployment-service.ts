import { maxReplicas } from '@pademelon/contracts';
import type { Caller } from '../caller.ts';
import { DomainError, notFound } from '../domain-error.ts';
import type { PipelineVersion } from '../pipelines/pipeline.ts';
import { requirePipelineName } from '../pipelines/pipeline-name.ts';
import type { PipelineService } from '../pipelines/pipeline-service.ts';
import { parseSteps } from '../pipelines/steps/parse-steps.ts';
import { modelsOf } from '../pipelines/steps/pipeline-step.ts';
import { isJsonObject, isStorableText, type JsonObject, requirePlainJson } from '../plain-json.ts';
import { isRowId, isUuid } from '../row-id.ts';
import { chooseModelConfigs, requireModels, requireServableSteps } from './deployable-definition.ts';
import {
  type DeployableModel,
  type Deployment,
  deploymentIdOf,
  deploymentName,
  type PodReport,
  type ServedVersion,
} from './deployment.ts';
import { type DeploymentStatus, deploymentStatus } from './deployment-status.ts';
import type { DeploymentFilter, DeploymentStore } from './deployment-store.ts';

export interface DeployInput {
  readonly deployId: string;
  /** The version to serve, by id or by UUID; with neither, the newest of the pipeline. */
  readonly pipelineVersionId?: number | undefined;
  readonly pipelineVersion?: string | undefined;
  readonly pipelineId?: number | undefined;
  readonly engineConfig: unknown;
  /** Configurations to use; models without one here are served with their newest. */
  readonly modelConfigIds?: readonly number[] | undefined;
  /** Model versions, by id or by UUID, of which a version without steps is to be made a chain. */
  readonly modelVersionIds?: readonly number[] | undefined;
  readonly modelVersions?: readonly string[] | undefined;
}

/** A deployment with all that is known of its replicas. */
export interface ObservedDeployment {
  readonly deployment: Deployment;
  readonly status: DeploymentStatus;
  readonly pods: readonly PodReport[];
  readonly pipelineVersion: PipelineVersion;
  readonly models: readonly DeployableModel[];
}

/** Use cases of deployments. It only writes what is wanted: inference hosts read that and make it so. */
export class DeploymentService {
  readonly #store: DeploymentStore;
  readonly #pipelines: PipelineService;

  constructor(store: DeploymentStore, pipelines: PipelineService) {
    this.#store = store;
    this.#pipelines = pipelines;
  }

  /** Resolves as soon as the wish is written, long before anything serves. */
  async deploy(caller: Caller, input: DeployInput): Promise<Deployment> {
    requirePipelineName('deployment', input.deployId);
    const engineConfig = checkEngineConfig(input.engineConfig);
    const version = await this.#withSteps(caller, await this.#chooseVersion(caller, input), input);
    const references = requireServableSteps(version.definition.steps);
    const found = await this.#store.findModels(
      version.workspaceId,
      references.map((reference) => reference.version),
    );
    const models = requireModels(references, found);
    return this.#store.deploy({
      pipelineId: version.pipelineId,
      pipelineVersionId: version.id,
      deployId: input.deployId,
      engineConfig,
      modelConfigIds: chooseModelConfigs(models, input.modelConfigIds ?? []),
    });
  }

  /** Serves once more, and newly loaded, what the deployment served last. */
  async redeploy(caller: Caller, id: number): Promise<Deployment> {
    const { deployId, engineConfig, pipelineVersionId } = await this.get(caller, id);
    return this.deploy(caller, { deployId, engineConfig, pipelineVersionId });
  }

  async undeploy(caller: Caller, id: number): Promise<Deployment> {
    const deployment = await this.get(caller, id);
    await this.#store.undeploy(deployment.id);
    return { ...deployment, isDeployed: false, scaledReplicas: null };
  }

  /** Does nothing when the pipeline was never deployed. */
  async undeployPipeline(caller: Caller, pipelineId: number): Promise<void> {
    const pipeline = await this.#pipelines.get(caller, pipelineId);
    const [deployment] = await this.ofPipelines(caller, [pipeline.id]);
    if (deployment !== undefined) await this.#store.undeploy(deployment.id);
  }

  /** Throws `invalid_input` when the configuration is of no model that the deployment serves. */
  async replaceModelConfig(caller: Caller, id: number, modelConfigId: number): Promise<void> {
    const deployment = await this.get(caller, id);
    const { models } = await this.#served(caller, deployment);
    chooseModelConfigs(models, [modelConfigId]);
    await this.#store.replaceModelConfig(deployment.id, modelConfigId);
  }

  async get(caller: Caller, id: number): Promise<Deployment> {
    const [deployment] = await this.findMany(caller, [id]);
    if (deployment === undefined) throw notFound('deployment', id);
    return deployment;
  }

  /** By the name `<deployId>-<id>`. Throws `not_found`, also when it is undeployed and nothing of it is left. */
  async observe(caller: Caller, name: string): Promise<ObservedDeployment> {
    const id = deploymentIdOf(name);
    const [deployment] = id === null ? [] : await this.findMany(caller, [id]);
    if (deployment === undefined || deploymentName(deployment) !== name) throw notFound('deployment', name);
    const observed = await this.#store.observe(deployment.id);
    const status = deploymentStatus(deployment, observed);
    if (status === null) throw notFound('deployment', name);
    return { deployment, status, pods: observed.pods, ...(await this.#served(caller, deployment)) };
  }

  async findMany(caller: Caller, ids: readonly number[]): Promise<Deployment[]> {
    return this.#store.findMany(caller.userId, ids.filter(isRowId));
  }

  /** Those that exist, in no particular order: at most one a pipeline. */
  async ofPipelines(caller: Caller, pipelineIds: readonly number[]): Promise<Deployment[]> {
    return this.#store.ofPipelines(caller.userId, pipelineIds.filter(isRowId));
  }

  async list(caller: Caller, filter: DeploymentFilter): Promise<Deployment[]> {
    if (filter.id !== undefined && !isRowId(filter.id)) return [];
    if (filter.deployId !== undefined && !isStorableText(filter.deployId)) return [];
    return this.#store.list(caller.userId, filter);
  }

  async servedVersions(caller: Caller, pipelineVersionIds: readonly number[]): Promise<ServedVersion[]> {
    return this.#store.servedVersions(caller.userId, pipelineVersionIds.filter(isRowId));
  }

  /** For each of the pipeline versions, the newest configurations of the models that it names and its workspace has. */
  async modelConfigIdsOf(caller: Caller, pipelineVersionIds: readonly number[]): Promise<Map<number, number[]>> {
    const versions = await this.#pipelines.findVersions(caller, pipelineVersionIds);
    const configIds = new Map<number, number[]>();
    for (const [workspaceId, ofWorkspace] of Map.groupBy(versions, (version) => version.workspaceId)) {
      const named = new Map(ofWorkspace.map(({ id, definition }) => [id, modelVersionsIn(definition.steps)]));
      const found = await this.#store.findModels(workspaceId, [...new Set([...named.values()].flat())]);
      const newest = new Map(found.map((model) => [model.version, model.configIds[0]]));
      for (const [id, uuids] of named)
        configIds.set(
          id,
          uuids.flatMap((uuid) => newest.get(uuid) ?? []),
        );
    }
    return configIds;
  }

  async #chooseVersion(caller: Caller, input: DeployInput): Promise<PipelineVersion> {
    const { pipelineId, pipelineVersionId, pipelineVersion } = input;
    let version: PipelineVersion;
    if (pipelineVersionId !== undefined) version = await this.#pipelines.getVersion(caller, pipelineVersionId);
    else if (pipelineVersion !== undefined) version = await this.#pipelines.getVersionByUuid(caller, pipelineVersion);
    else if (pipelineId !== undefined) version = await this.#pipelines.newestVersion(caller, pipelineId);
    else throw new DomainError('invalid_input', 'Say what to deploy: pipeline_version_pk_id, or pipeline_id.');
    if (pipelineId !== undefined && version.pipelineId !== pipelineId) {
      throw new DomainError('invalid_input', `Pipeline version ${version.id} is not one of pipeline ${pipelineId}.`);
    }
    return version;
  }

  /** REST callers may deploy an empty version by naming models: a version that chains them is added then. */
  async #withSteps(caller: Caller, version: PipelineVersion, input: DeployInput): Promise<PipelineVersion> {
    if (version.definition.steps.length > 0) return version;
    const models = await this.#namedModels(version.workspaceId, input);
    if (models.length === 0) return version;
    const steps = models.map(({ name, version, sha }) => ({ ModelInference: { models: [{ name, version, sha }] } }));
    const added = await this.#pipelines.addVersion(caller, {
      workspaceId: version.workspaceId,
      name: version.pipelineName,
      definition: { ...version.definition, steps },
    });
    return added.version;
  }

  /** In the order in which the caller names them. Throws `not_found` when the workspace lacks one. */
  async #namedModels(workspaceId: number, input: DeployInput): Promise<DeployableModel[]> {
    const ids = input.modelVersionIds ?? [];
    const uuids = (input.modelVersions ?? []).map((uuid) => uuid.toLowerCase());
    const found = [
      ...(await this.#store.findModelsById(workspaceId, ids.filter(isRowId))),
      ...(await this.#store.findModels(workspaceId, uuids.filter(isUuid))),
    ];
    const named = [
      ...ids.map((id) => found.find((model) => model.versionId === id)),
      ...uuids.map((uuid) => found.find((model) => model.version === uuid)),
    ];
    if (named.includes(undefined)) {
      throw new DomainError('not_found', "The pipeline's workspace does not have all of the models to deploy.");
    }
    return named.filter((model) => model !== undefined);
  }

  async #served(
    caller: Caller,
    deployment: Deployment,
  ): Promise<{ pipelineVersion: PipelineVersion; models: readonly DeployableModel[] }> {
    const pipelineVersion = await this.#pipelines.getVersion(caller, deployment.pipelineVersionId);
    const uuids = modelVersionsIn(pipelineVersion.definition.steps);
    return { pipelineVersion, models: await this.#store.findModels(deployment.workspaceId, uuids) };
  }
}

/** The UUIDs of the model versions that the steps name, each once. */
function modelVersionsIn(steps: readonly unknown[]): string[] {
  return [...new Set(parseSteps(steps).flatMap((step) => modelsOf(step).map((model) => model.version)))];
}

function checkEngineConfig(sent: unknown): JsonObject {
  const config = sent ?? {};
  if (!isJsonObject(config)) throw new DomainError('invalid_input', 'The engine_config must be an object.');
  requirePlainJson('engine_config', config);
  const engine = isJsonObject(config['engine']) ? config['engine'] : {};
  const autoscale = isJsonObject(engine['autoscale']) ? engine['autoscale'] : {};
  for (const replicas of [engine['replicas'], autoscale['replica_min'], autoscale['replica_max']]) {
    if (typeof replicas === 'number' && replicas > maxReplicas) {
      throw new DomainError('invalid_input', `A deployment has at most ${maxReplicas} replicas, not ${replicas}.`);
    }
  }
  return config;
}
