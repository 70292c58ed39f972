import type { PodStatus } from '@pademelon/database/sql';
import { DomainError } from '@pademelon/domain';
import type { Logger } from '@pademelon/runtime';
import { type LoggedCounts, type PodEnd, PodProcess, type PodProcessOptions } from './pod-process.ts';
import type { PodPlan } from './pod-spec.ts';
import { crashLoopLength, healthyAfterMs, restartDelayMs } from './restart-delay.ts';

export interface PodSupervisorOptions {
  readonly podId: string;
  readonly deploymentId: number;
  readonly revision: number;
  readonly logger: Logger;
  /** Gathers the spec; called until it succeeds once, then its result is kept, so a restart needs no database. */
  readonly plan: () => Promise<PodPlan>;
  readonly process: Pick<PodProcessOptions, 'entry' | 'execArgv' | 'loadDeadlineMs'>;
  /** Writes the status to the pod's row; false when the row is gone. A rejection is repeated at the next `report`. */
  readonly write: (status: PodStatus) => Promise<boolean>;
  /** Told of the end of every process with what it said it had logged, before another is started in its place. */
  readonly onProcessEnd: (plan: PodPlan, logged: LoggedCounts) => Promise<void>;
  /** Told that another pod is to take its place. */
  readonly onLeaving: () => void;
  /** How long a pod that is to go still serves, so that gateways have moved on. */
  readonly drainDelayMs: number;
  /** How long a draining pod may take to finish its requests. */
  readonly drainDeadlineMs: number;
}

/** How soon a deployment of a model that is still being packaged is looked at again. */
const notReadyDelayMs = 500;

/**
 * Keeps one replica running: starts its process again when it ends, at once after the first crash and ever more slowly
 * when it keeps crashing, and reports what becomes of it. What cannot be served at all is not tried again: only a new
 * deploy, which is a new pod, changes that.
 */
export class PodSupervisor {
  readonly #options: PodSupervisorOptions;
  #status: PodStatus = { state: 'starting', port: null, reason: null, restarts: 0, isLeaving: false };
  #isReported = true;
  #reporting: Promise<void> = Promise.resolve();
  #plan: PodPlan | null = null;
  #process: PodProcess | null = null;
  #readyAtMs = 0;
  #crashes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isStopping = false;
  #stopped = Promise.withResolvers<void>();

  constructor(options: PodSupervisorOptions) {
    this.#options = options;
    void this.#start();
  }

  get podId(): string {
    return this.#options.podId;
  }

  get deploymentId(): number {
    return this.#options.deploymentId;
  }

  get status(): PodStatus {
    return this.#status;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What its present process said that it logged. */
  get logged(): LoggedCounts {
    return this.#process?.logged ?? { records: 0, rows: 0 };
  }

  /** Writes the status if the last attempt to do so failed. */
  report(): Promise<void> {
    this.#reporting = this.#reporting.then(() => this.#writeStatus());
    return this.#reporting;
  }

  /** Asks for another pod in its place, and serves until that one does. Resolves when this is known to all. */
  async leave(): Promise<void> {
    if (this.#status.isLeaving || this.#isStopping) return;
    this.#setStatus({ isLeaving: true });
    await this.#reporting;
    this.#options.onLeaving();
  }

  /**
   * Takes the pod out of service: gateways are told, then it finishes what it has and ends. Resolves when the process
   * has ended.
   */
  async stop(): Promise<void> {
    if (this.#isStopping) return this.#stopped.promise;
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const isServing = this.#process?.isReady ?? false;
    this.#setStatus({ state: 'draining', port: null });
    if (isServing) {
      await this.#reporting;
      await new Promise((resolve) => setTimeout(resolve, this.#options.drainDelayMs));
    }
    if (this.#process === null) this.#stopped.resolve();
    else this.#process.drain(this.#options.drainDeadlineMs);
    return this.#stopped.promise;
  }

  async #start(): Promise<void> {
    try {
      this.#plan ??= await this.#options.plan();
    } catch (error) {
      this.#onPlanFailure(error);
      return;
    }
    if (this.#isStopping) return;
    this.#process = new PodProcess({
      ...this.#options.process,
      spec: this.#plan.spec,
      memoryBytes: this.#plan.memoryBytes,
      onReady: ({ port, loadMs }) => {
        this.#readyAtMs = performance.now();
        this.#options.logger.info({ podId: this.podId, deploymentId: this.deploymentId, port, loadMs }, 'pod ready');
        if (this.#isStopping) return;
        const { restarts, reason } = this.#status;
        this.#setStatus({ state: 'ready', port, reason: restarts === 0 ? null : reason });
      },
      onLeaving: () => void this.leave(),
      onEnd: (end) => void this.#onEnd(end),
    });
  }

  #onPlanFailure(error: unknown): void {
    if (this.#isStopping) return;
    const { logger } = this.#options;
    if (error instanceof DomainError && error.word === 'model_rejected') {
      this.#setStatus({ state: 'error', port: null, reason: error.message });
      return;
    }
    if (error instanceof DomainError && error.word === 'not_ready') {
      this.#setStatus({ state: 'starting', port: null, reason: error.message });
      this.#startLater(notReadyDelayMs);
      return;
    }
    logger.warn({ err: error, podId: this.podId }, 'pod could not be prepared');
    this.#crashes++;
    const reason = error instanceof DomainError ? error.message : 'The database could not be read.';
    this.#setStatus({ state: this.#crashes >= crashLoopLength ? 'error' : 'starting', port: null, reason });
    this.#startLater(Math.max(500, restartDelayMs(this.#crashes)));
  }

  async #onEnd(end: PodEnd): Promise<void> {
    const { logged } = this;
    this.#process = null;
    // Gateways are told first: what is sent to a dead pod is lost.
    if (!this.#isStopping) this.#settle(end);
    await this.#options.onProcessEnd(this.#plan!, logged);
    if (this.#isStopping) {
      this.#stopped.resolve();
      return;
    }
    if (end.kind !== 'refused') this.#startLater(restartDelayMs(this.#crashes));
  }

  /** Decides what an unwanted end means for the pod's status. */
  #settle(end: PodEnd): void {
    const { podId, deploymentId } = this;
    this.#options.logger.warn({ podId, deploymentId, kind: end.kind, reason: end.reason }, 'pod ended');
    if (end.kind === 'refused') {
      this.#setStatus({ state: 'error', port: null, reason: end.reason });
      return;
    }
    const wasHealthy = this.#readyAtMs > 0 && performance.now() - this.#readyAtMs > healthyAfterMs;
    this.#readyAtMs = 0;
    // A model that blocks its own loading costs a core for as long as it is tried: count it as a loop from the start.
    this.#crashes = end.kind === 'stuck' ? this.#crashes + 2 * crashLoopLength : wasHealthy ? 1 : this.#crashes + 1;
    const state = this.#crashes >= crashLoopLength ? 'error' : 'starting';
    this.#setStatus({ state, port: null, reason: end.reason, restarts: this.#status.restarts + 1 });
  }

  #startLater(delayMs: number): void {
    if (delayMs === 0) void this.#start();
    else this.#timer = setTimeout(() => void this.#start(), delayMs);
  }

  #setStatus(change: Partial<PodStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#isReported = false;
    void this.report();
  }

  /** Writes are one after the other, each with what is true then: an older status never overwrites a newer one. */
  async #writeStatus(): Promise<void> {
    if (this.#isReported) return;
    const status = this.#status;
    try {
      await this.#options.write(status);
      this.#isReported = this.#status === status;
    } catch (error) {
      this.#options.logger.warn({ err: error, podId: this.podId }, 'pod status not written; will be written again');
    }
  }
}
