import type { JsonObject } from '../plain-json.ts';
import type { DeployableModel, Deployment, PodReport, ServedVersion } from './deployment.ts';

export interface DesiredState {
  readonly pipelineId: number;
  readonly pipelineVersionId: number;
  readonly deployId: string;
  readonly engineConfig: JsonObject;
  readonly modelConfigIds: readonly number[];
}

/** Conditions that all must hold; an absent one holds for every deployment. */
export interface DeploymentFilter {
  readonly id?: number;
  readonly deployId?: string;
  readonly isDeployed?: boolean;
}

/**
 * Where the desired state of deployments is kept. Whatever changes it tells the inference hosts, when it is committed.
 * Reading methods with `visibleTo` see only what is in that user's workspaces; the others do not check who asks.
 */
export interface DeploymentStore {
  /** Makes the pipeline's deployment or changes it, raising its revision, all at once. */
  deploy(desired: DesiredState): Promise<Deployment>;
  undeploy(id: number): Promise<void>;
  /** Serves the model version of that configuration with it from now on, raising the revision. */
  replaceModelConfig(id: number, modelConfigId: number): Promise<void>;
  findMany(visibleTo: string, ids: readonly number[]): Promise<Deployment[]>;
  ofPipelines(visibleTo: string, pipelineIds: readonly number[]): Promise<Deployment[]>;
  /** By id, newest first. */
  list(visibleTo: string, filter: DeploymentFilter): Promise<Deployment[]>;
  /** Where the pipeline versions were deployed. */
  servedVersions(visibleTo: string, pipelineVersionIds: readonly number[]): Promise<ServedVersion[]>;
  /** Those of the model versions (UUIDs) that are in the workspace. */
  findModels(workspaceId: number, versions: readonly string[]): Promise<DeployableModel[]>;
  /** Those of the model versions (ids) that are in the workspace. */
  findModelsById(workspaceId: number, versionIds: readonly number[]): Promise<DeployableModel[]>;
  /** The replicas on hosts that live, oldest revision first, and how many hosts live, by the database's clock. */
  observe(id: number): Promise<{ pods: PodReport[]; liveHosts: number }>;
}
