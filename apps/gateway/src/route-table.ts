import { wantedReplicas } from '@pademelon/contracts';
import type { ReadyPodRow, RouteRow } from '@pademelon/database/sql';
import type { DeadlineWatch } from '@pademelon/http1';
import { type DeploymentLimits, deploymentLimits } from './deployment-limits.ts';
import { DeploymentRoute } from './deployment-route.ts';
import { PodRoute } from './pod-route.ts';

export interface RouteTableOptions {
  readonly watch: DeadlineWatch;
  readonly limits: DeploymentLimits;
  readonly podKey: (podId: string) => string;
}

/** Deployed pipelines by the end of their inference URL, `<deployment name>/<pipeline name>`, held in memory. */
export class RouteTable {
  readonly #options: RouteTableOptions;
  #deployments = new Map<string, DeploymentRoute>();
  #byPipeline = new Map<string, DeploymentRoute[]>();
  #pods = new Map<string, PodRoute>();

  constructor(options: RouteTableOptions) {
    this.#options = options;
  }

  find(path: string): DeploymentRoute | null {
    return this.#deployments.get(path) ?? null;
  }

  /** Those of the pipelines of this name, whatever their workspaces. */
  ofPipeline(pipelineName: string): readonly DeploymentRoute[] {
    return this.#byPipeline.get(pipelineName) ?? [];
  }

  get deployments(): Iterable<DeploymentRoute> {
    return this.#deployments.values();
  }

  /** Takes over the state of the database. Connections to pods that stay, and who waits for them, are kept. */
  replace(rows: readonly RouteRow[]): void {
    const before = this.#deployments;
    const podsBefore = this.#pods;
    this.#deployments = new Map();
    this.#pods = new Map();
    for (const row of rows) {
      const path = routePath(row);
      const limits = deploymentLimits(row.engineConfig, this.#options.limits);
      const route = before.get(path) ?? new DeploymentRoute(path, row, limits);
      route.limits = limits;
      const serving = servingPods(row);
      route.workspaceId = row.workspaceId;
      route.workspaceName = row.workspaceName;
      route.pipelineVersion = row.pipelineVersion;
      route.servesCurrentRevision = serving.every((pod) => pod.revision === row.revision);
      route.failures = row.failures;
      this.#deployments.set(path, route);
      route.replacePods(serving.map((pod) => this.#podRoute(pod, podsBefore)));
    }
    this.#byPipeline = Map.groupBy(this.#deployments.values(), (route) => route.pipelineName);
    for (const [path, route] of before) if (!this.#deployments.has(path)) route.close();
    for (const [key, pod] of podsBefore) if (!this.#pods.has(key)) pod.pool.close();
  }

  #podRoute({ id, address, port }: ReadyPodRow, before: ReadonlyMap<string, PodRoute>): PodRoute {
    // A pod that was started again has its old id and another port.
    const key = `${id} ${address} ${port}`;
    const { podKey, watch } = this.#options;
    const route = before.get(key) ?? new PodRoute({ id, address, port, key: podKey(id), watch });
    this.#pods.set(key, route);
    return route;
  }
}

/** The end of a deployment's inference URL, by which it is found. */
export function routePath({ deployId, deploymentId, pipelineName }: RouteRow): string {
  return `${deployId}-${deploymentId}/${pipelineName}`;
}

/**
 * The pods of the current revision once all of them are ready or no other revision serves; until then those of the
 * newest older one, so that a deploy switches once and all at once. Pure.
 */
export function servingPods({ revision, engineConfig, scaledReplicas, pods }: RouteRow): readonly ReadyPodRow[] {
  const current = pods.filter((pod) => pod.revision === revision);
  if (current.length >= wantedReplicas(engineConfig, scaledReplicas)) return current;
  const newestOlder = Math.max(...pods.filter((pod) => pod.revision < revision).map((pod) => pod.revision));
  const older = pods.filter((pod) => pod.revision === newestOlder);
  return older.length > 0 ? older : current;
}
