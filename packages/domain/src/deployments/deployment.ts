import type { PodState } from '@pademelon/contracts';
import type { JsonObject } from '../plain-json.ts';
import { isRowId } from '../row-id.ts';

/** The desired state of a pipeline. There is at most one a pipeline; it keeps its id through every redeploy. */
export interface Deployment {
  readonly id: number;
  /** The name that the deployer chose; with the id it makes the name in the inference URL. */
  readonly deployId: string;
  readonly isDeployed: boolean;
  readonly pipelineId: number;
  readonly pipelineName: string;
  readonly workspaceId: number;
  /** The version to serve. */
  readonly pipelineVersionId: number;
  readonly engineConfig: JsonObject;
  /** What autoscaling came to; null until it first changed the number of replicas. */
  readonly scaledReplicas: number | null;
  /** Raised by one whenever what is to be served changes. */
  readonly revision: number;
  readonly modelConfigIds: readonly number[];
  /** Every version that was ever deployed, newest version first. */
  readonly servedVersions: readonly ServedVersion[];
}

export interface ServedVersion {
  readonly deploymentId: number;
  readonly pipelineVersionId: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A model version that a definition names, with the ids of its configurations, newest first. */
export interface DeployableModel {
  readonly versionId: number;
  readonly name: string;
  /** UUID. */
  readonly version: string;
  readonly sha: string;
  readonly status: string;
  readonly configIds: readonly number[];
}

/** One replica as its host reports it. */
export interface PodReport {
  readonly id: string;
  readonly revision: number;
  readonly address: string;
  readonly state: PodState;
  readonly reason: string | null;
}

/** The name in the inference URL and in status look-ups: `<deployId>-<id>`. */
export function deploymentName(deployment: Pick<Deployment, 'id' | 'deployId'>): string {
  return `${deployment.deployId}-${deployment.id}`;
}

/** The id in a deployment's name; null where it holds none. */
export function deploymentIdOf(name: string): number | null {
  const id = Number(/-(\d{1,10})$/.exec(name)?.[1]);
  return isRowId(id) ? id : null;
}

/** The path at which the gateway serves a deployment. */
export function inferencePath(deployment: Pick<Deployment, 'id' | 'deployId' | 'pipelineName'>): string {
  return `/v1/api/pipelines/infer/${deploymentName(deployment)}/${deployment.pipelineName}`;
}
