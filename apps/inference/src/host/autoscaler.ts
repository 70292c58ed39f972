import { readAutoscalePolicy, wantedReplicas } from '@pademelon/contracts';
import type { DeploymentRow, ReplicaChange, ServingSnapshot } from '@pademelon/database/sql';
import { decideReplicas, type LoadSample } from '@pademelon/domain';

interface History {
  readonly revision: number;
  readonly replicas: number;
  readonly samples: LoadSample[];
}

/** Two looks that are further apart than this have a gap between them, of which nothing is known. */
const longestGapMs = 10_000;

/**
 * Remembers how loaded the deployments were and says when the number of their replicas should change. Of several hosts
 * only the first decides; another that comes in its place begins with an empty memory, which delays a decision and
 * never makes a wrong one.
 */
export class Autoscaler {
  readonly #hostId: string;
  readonly #histories = new Map<number, History>();

  constructor(hostId: string) {
    this.#hostId = hostId;
  }

  /** What follows from this look and those before it. `nowMs` is of any clock that never goes back. */
  decide(snapshot: ServingSnapshot, nowMs: number): ReplicaChange[] {
    const changes: ReplicaChange[] = [];
    const isDeciding = snapshot.liveHosts[0]?.id === this.#hostId;
    const scaled = isDeciding ? snapshot.deployments.filter((deployment) => deployment.isDeployed) : [];
    for (const id of this.#histories.keys()) if (!scaled.some((row) => row.id === id)) this.#histories.delete(id);
    for (const deployment of scaled) {
      const to = this.#decideOne(deployment, snapshot, nowMs);
      if (to === null) continue;
      this.#histories.delete(deployment.id);
      const { id, revision, scaledReplicas } = deployment;
      changes.push({ deploymentId: id, revision, from: scaledReplicas, to });
    }
    return changes;
  }

  /** Null where nothing is to change. */
  #decideOne(deployment: DeploymentRow, snapshot: ServingSnapshot, nowMs: number): number | null {
    const policy = readAutoscalePolicy(deployment.engineConfig);
    const load = policy === null ? null : measure(deployment, snapshot, policy.trigger);
    if (policy === null || load === null) {
      this.#histories.delete(deployment.id);
      return null;
    }
    const replicas = wantedReplicas(deployment.engineConfig, deployment.scaledReplicas);
    const { samples } = this.#history(deployment, replicas, nowMs);
    samples.push({ atMs: nowMs, load });
    // One sample from before the window stays: it proves that the window is full.
    while (samples.length > 1 && samples[1]!.atMs <= nowMs - policy.windowMs) samples.shift();
    const decided = decideReplicas(policy, replicas, samples, nowMs);
    return decided === replicas ? null : decided;
  }

  #history({ id, revision }: DeploymentRow, replicas: number, nowMs: number): History {
    const known = this.#histories.get(id);
    const lastMs = known?.samples.at(-1)?.atMs ?? nowMs;
    if (known?.revision === revision && known.replicas === replicas && nowMs - lastMs <= longestGapMs) return known;
    const history = { revision, replicas, samples: [] };
    this.#histories.set(id, history);
    return history;
  }
}

/** Null while nobody has measured yet. */
function measure(deployment: DeploymentRow, { pods }: ServingSnapshot, trigger: 'cpu' | 'queue'): number | null {
  if (trigger === 'queue') return deployment.requests;
  const cores = pods.flatMap((pod) => (pod.deploymentId === deployment.id ? (pod.usedCores ?? []) : []));
  return cores.length === 0 ? null : cores.reduce((sum, used) => sum + used, 0);
}
