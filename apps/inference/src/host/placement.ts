import { wantedReplicas } from '@pademelon/contracts';
import type { DeploymentRow, HostRow, PodRow, PodSlot, ServingSnapshot } from '@pademelon/database/sql';

/** Replicas of current revisions that have no pod, each assigned to the live host with the fewest pods. Pure. */
export function placeReplicas(snapshot: ServingSnapshot, newId: () => string): PodSlot[] {
  const load = new Map(snapshot.liveHosts.map((host) => [host.id, 0]));
  for (const pod of snapshot.pods) {
    const pods = load.get(pod.hostId);
    if (pods !== undefined) load.set(pod.hostId, pods + 1);
  }
  const slots: PodSlot[] = [];
  for (const { deploymentId, revision, replica } of missingReplicas(snapshot)) {
    const host = leastLoaded(snapshot.liveHosts, load);
    if (host === undefined) break;
    load.set(host.id, load.get(host.id)! + 1);
    slots.push({ id: newId(), deploymentId, revision, replica, host });
  }
  return slots;
}

export function hasMissingReplicas(snapshot: ServingSnapshot): boolean {
  return !missingReplicas(snapshot).next().done;
}

/** A pod that drains still counts: its replica is placed anew when it has ended. One that leaves is replaced first. */
function* missingReplicas({ deployments, pods }: ServingSnapshot) {
  for (const deployment of deployments) {
    if (!deployment.isDeployed) continue;
    const { id, revision } = deployment;
    const current = currentPods(deployment, pods);
    const taken = new Set(current.map((pod) => pod.replica));
    let missing = wanted(deployment) - current.filter((pod) => !pod.isLeaving).length;
    for (let replica = 0; missing > 0; replica++) {
      if (taken.has(replica)) continue;
      missing--;
      yield { deploymentId: id, revision, replica };
    }
  }
}

function wanted({ engineConfig, scaledReplicas }: DeploymentRow): number {
  return wantedReplicas(engineConfig, scaledReplicas);
}

function currentPods({ id, revision }: DeploymentRow, pods: readonly PodRow[]): PodRow[] {
  return pods.filter((pod) => pod.deploymentId === id && pod.revision === revision);
}

function leastLoaded(hosts: readonly HostRow[], load: ReadonlyMap<string, number>): HostRow | undefined {
  let best: HostRow | undefined;
  for (const host of hosts) if (best === undefined || load.get(host.id)! < load.get(best.id)!) best = host;
  return best;
}

/**
 * Pods that should go: those of deployments that are not wanted any more; of the current revision what is more than is
 * wanted, and what leaves once it is replaced or does not serve; and those of older revisions once the current one is fully ready. Until then an older pod that serves goes on
 * serving and is started again if it dies, while one that never served or is in error goes at once. Pure.
 */
export function podsToRetire({ deployments, pods }: ServingSnapshot): PodRow[] {
  const retired: PodRow[] = [];
  const byId = new Map(deployments.map((deployment) => [deployment.id, deployment]));
  for (const [deploymentId, ofDeployment] of Map.groupBy(pods, (pod) => pod.deploymentId)) {
    const deployment = byId.get(deploymentId);
    if (deployment === undefined || !deployment.isDeployed) {
      retired.push(...ofDeployment);
      continue;
    }
    const current = currentPods(deployment, ofDeployment);
    const isReplaced = current.filter((pod) => pod.state === 'ready').length >= wanted(deployment);
    const staying = current.filter((pod) => !pod.isLeaving);
    const isRelieved = staying.filter((pod) => pod.state === 'ready').length >= wanted(deployment);
    retired.push(...surplus(staying, wanted(deployment)));
    retired.push(...current.filter((pod) => pod.isLeaving && (isRelieved || pod.state !== 'ready')));
    for (const pod of ofDeployment) {
      if (pod.revision === deployment.revision) continue;
      const serves = pod.state === 'ready' || (pod.state === 'starting' && pod.restarts > 0);
      if (isReplaced || !serves) retired.push(pod);
    }
  }
  return retired;
}

const worth = { ready: 0, starting: 1, error: 2, draining: 3 } as const;

/** The pods beyond the wanted number: those that serve stay, and of equals those with the lower numbers. */
function surplus(current: readonly PodRow[], count: number): PodRow[] {
  return current.toSorted((a, b) => worth[a.state] - worth[b.state] || a.replica - b.replica).slice(count);
}
