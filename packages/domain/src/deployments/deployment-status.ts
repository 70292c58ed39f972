import { type PodState, readEngineConfig, wantedReplicas } from '@pademelon/contracts';
import type { Deployment, PodReport } from './deployment.ts';

/** The words that the SDKs print; they wait for `Running` and for nothing else. */
export type DeploymentState = 'Starting' | 'Running' | 'Error' | 'Stopping';

export interface DeploymentStatus {
  readonly state: DeploymentState;
  /** Sentences for the user: why it is not running, or not with all that was asked for. */
  readonly details: readonly string[];
}

const podWords: Record<PodState, DeploymentState> = {
  starting: 'Starting',
  ready: 'Running',
  draining: 'Stopping',
  error: 'Error',
};

export function podWord(state: PodState): DeploymentState {
  return podWords[state];
}

/**
 * What a deployment is doing; null when it is not deployed and nothing of it is left.
 *
 * `Running` means that every wanted replica of the newest revision is ready, so that a deploy call which waits for it
 * never returns while another version answers; replicas that autoscaling wants beyond those asked for may still be
 * starting. `Error` means that nothing serves and a replica of the newest revision
 * could not start. While something serves, be it an older revision, a failure shows in the details only.
 */
export function deploymentStatus(
  deployment: Pick<Deployment, 'isDeployed' | 'revision' | 'engineConfig' | 'scaledReplicas'>,
  observed: { readonly pods: readonly PodReport[]; readonly liveHosts: number },
): DeploymentStatus | null {
  const { pods } = observed;
  if (!deployment.isDeployed) return pods.length === 0 ? null : { state: 'Stopping', details: [] };

  const wanted = wantedReplicas(deployment.engineConfig, deployment.scaledReplicas);
  const current = pods.filter((pod) => pod.revision === deployment.revision);
  const ready = current.filter((pod) => pod.state === 'ready');
  if (ready.length >= wanted) return { state: 'Running', details: [] };

  const failed = current.filter((pod) => pod.state === 'error');
  const olderServe = pods.some((pod) => pod.revision < deployment.revision && pod.state === 'ready');
  const details = [
    ...new Set(current.flatMap((pod) => pod.reason ?? [])),
    ...(observed.liveHosts === 0 ? ['No inference host is running; the replicas start when one is.'] : []),
    ...(olderServe && failed.length > 0 ? ['The version that was deployed before keeps serving.'] : []),
  ];
  const serves = ready.length > 0 || olderServe;
  const { replicas } = readEngineConfig(deployment.engineConfig);
  if (!olderServe && ready.length >= Math.min(wanted, replicas)) {
    return { state: 'Running', details: [`${ready.length} of ${wanted} replicas are ready.`, ...details] };
  }
  return { state: failed.length > 0 && !serves ? 'Error' : 'Starting', details };
}
