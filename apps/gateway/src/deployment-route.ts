import type { ErrorWord } from '@pademelon/contracts';
import type { RouteRow } from '@pademelon/database/sql';
import { AnswerPace } from './answer-pace.ts';
import type { DeploymentLimits } from './deployment-limits.ts';
import type { Destination, Exchange } from './exchange.ts';
import type { PodRoute } from './pod-route.ts';

type ServedPipeline = Pick<RouteRow, 'pipelineName' | 'pipelineVersion' | 'workspaceId' | 'workspaceName'>;

/** One request's way to a deployment. */
export class PodErrand implements Destination {
  readonly #route: DeploymentRoute;
  /** Request target that the pod is to see. */
  readonly target: string;
  readonly triedPods = new Set<string>();
  pod: PodRoute | null = null;
  exchange: Exchange | null = null;

  constructor(route: DeploymentRoute, target: string) {
    this.#route = route;
    this.target = target;
  }

  get deadlineMs(): number {
    return this.#route.limits.requestDeadlineMs;
  }

  dispatch(exchange: Exchange): void {
    this.exchange = exchange;
    this.#route.dispatch(this, exchange);
  }

  retry(exchange: Exchange): void {
    this.#route.retry(this, exchange);
  }

  release(exchange: Exchange): void {
    this.#route.release(this, exchange);
  }

  explainLoss(): [ErrorWord, string] {
    return this.#route.explainLoss(this);
  }
}

/**
 * One deployment: gives each request to its least-loaded ready pod, lets some wait when all are full, and refuses the
 * rest at once, so that an overloaded deployment costs its callers a moment and the others nothing.
 */
export class DeploymentRoute {
  readonly name: string;
  readonly pipelineName: string;
  /** UUID of the pipeline version to serve. */
  pipelineVersion: string;
  workspaceId: number;
  workspaceName: string;
  /** Whether the pods are those of the newest deploy, not of one that they have yet to take over from. */
  servesCurrentRevision = true;
  limits: DeploymentLimits;
  /** Why pods of the newest deploy are in error; empty while any pod starts. */
  failures: readonly string[] = [];
  readonly #pace = new AnswerPace();
  #pods: readonly PodRoute[] = [];
  #queue: PodErrand[] = [];
  #lastPod: PodRoute | null = null;

  constructor(name: string, served: ServedPipeline, limits: DeploymentLimits) {
    this.name = name;
    this.pipelineName = served.pipelineName;
    this.pipelineVersion = served.pipelineVersion;
    this.workspaceId = served.workspaceId;
    this.workspaceName = served.workspaceName;
    this.limits = limits;
  }

  get pods(): readonly PodRoute[] {
    return this.#pods;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** Requests that wait for a pod, or were given to one and are not answered yet. */
  get load(): number {
    let load = this.#queue.length;
    for (const pod of this.#pods) load += pod.inFlight;
    return load;
  }

  /** Pods came or went: those that wait are served or, when none is left, told to come back. */
  replacePods(pods: readonly PodRoute[]): void {
    this.#pods = pods;
    this.#serveQueue();
  }

  /** The deployment is not there any more. */
  close(): void {
    this.#pods = [];
    for (const { exchange } of this.#queue.splice(0)) exchange?.fail('not_found', undeployedSentence);
  }

  dispatch(errand: PodErrand, exchange: Exchange): void {
    if (this.#pods.length === 0) {
      exchange.fail(...this.explainAbsence());
      return;
    }
    const pod = this.#leastLoaded(errand.triedPods);
    if (pod === null) exchange.fail('not_ready', 'No pod of this pipeline could be reached; try again in a second.');
    else if (pod.inFlight < this.limits.perPod) this.#give(errand, exchange, pod);
    else if (this.#isFull())
      exchange.fail('overloaded', 'Too many requests wait for this pipeline; try again in a second.');
    else this.#enqueue(errand);
  }

  /** The pod could not be reached, and nothing was sent: another one may do. */
  retry(errand: PodErrand, exchange: Exchange): void {
    this.#takeBack(errand, { isAnswered: false });
    this.dispatch(errand, exchange);
  }

  release(errand: PodErrand, exchange: Exchange): void {
    const index = errand.pod === null ? this.#queue.indexOf(errand) : -1;
    if (index >= 0) this.#queue.splice(index, 1);
    this.#takeBack(errand, { isAnswered: exchange.isResponseBegun });
    this.#serveQueue();
  }

  /**
   * Why no pod can take a request. Where none serves or starts and one is in error, the deployment's status is `Error`:
   * a caller that tries again is none the better for it.
   */
  explainAbsence(): [ErrorWord, string] {
    if (this.#pods.length > 0 || this.failures.length === 0) {
      return ['not_ready', 'The pipeline is deployed but no pod is ready yet; try again in a second.'];
    }
    return [
      'deployment_failed',
      `The deployment of this pipeline failed; correct the model and deploy it again, or undeploy it. The reason: ${this.failures.join(' ')}`,
    ];
  }

  /** Why a pod that was working on a request is gone: hosts end the ones that a model blocks for too long. */
  explainLoss({ pod }: PodErrand): [ErrorWord, string] {
    const { runDeadlineMs } = this.limits;
    // The last sign of life may have taken longer to come here than the news of the end.
    if (pod === null || pod.silentMs < 0.95 * runDeadlineMs) {
      return ['unavailable', 'The pod that was working on this request ended; send it again.'];
    }
    return [
      'deadline_exceeded',
      `The pod was ended because a model ran longer than the ${runDeadlineMs / 1_000} s that one request may take.`,
    ];
  }

  #takeBack(errand: PodErrand, { isAnswered }: { isAnswered: boolean }): void {
    errand.pod?.takeBack(isAnswered);
    errand.pod = null;
    if (isAnswered) this.#pace.note(performance.now());
  }

  #isFull(): boolean {
    if (this.#queue.length >= this.limits.queued) return true;
    return this.#queue.length > 0 && this.#pace.expectedMs(this.load, performance.now()) > this.limits.queueWaitMs;
  }

  #enqueue(errand: PodErrand): void {
    if (this.#queue.length === 0) this.#pace.begin(performance.now());
    this.#queue.push(errand);
  }

  #serveQueue(): void {
    if (this.#queue.length === 0) return;
    this.#serveWaiting();
    if (this.#queue.length === 0) this.#pace.end(performance.now());
  }

  #serveWaiting(): void {
    while (this.#queue.length > 0) {
      const pod = this.#leastLoaded(this.#queue[0]!.triedPods);
      if (pod !== null && pod.inFlight >= this.limits.perPod) return;
      const errand = this.#queue.shift()!;
      if (pod === null) errand.exchange?.fail(...this.explainAbsence());
      else if (errand.exchange !== null) this.#give(errand, errand.exchange, pod);
    }
  }

  /** Of equals the one that was given something last: it is awake, and what it needs is in the processor's caches. */
  #leastLoaded(except: ReadonlySet<string>): PodRoute | null {
    const pods = this.#pods;
    let best: PodRoute | null = null;
    const first = Math.max(0, this.#lastPod === null ? 0 : pods.indexOf(this.#lastPod));
    for (let i = 0; i < pods.length; i++) {
      const pod = pods[(i + first) % pods.length]!;
      if (except.size > 0 && except.has(pod.id)) continue;
      if (best === null || pod.inFlight < best.inFlight) best = pod;
    }
    return best;
  }

  #give(errand: PodErrand, exchange: Exchange, pod: PodRoute): void {
    errand.pod = pod;
    this.#lastPod = pod;
    pod.give();
    pod.pool.acquire((connection) => {
      if (exchange.isOver) {
        connection?.release();
      } else if (connection === null) {
        errand.triedPods.add(pod.id);
        this.retry(errand, exchange);
      } else {
        exchange.send(connection, `POST ${errand.target}${pod.headPrefix}`);
      }
    });
  }
}

export const undeployedSentence = 'There is no deployed pipeline at this URL that you can use.';
