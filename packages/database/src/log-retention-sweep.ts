import { dropExpiredLogDays, type LogRetention } from './inference-log-partitions.ts';
import { pruneLongLogs } from './inference-log-pruning.ts';
import type { Pool } from './pool.ts';

export interface LogRetentionSweepOptions {
  readonly pool: Pool;
  readonly retention: LogRetention;
  /** Stored bytes that one pipeline may have, today's included. */
  readonly pipelineBytes: number;
  readonly intervalMs?: number;
  /** Told of days that were dropped. */
  readonly onDropped: (days: readonly string[]) => void;
  /** Told of pipelines, by id, whose oldest batches were deleted. */
  readonly onPruned: (pipelineIds: readonly number[]) => void;
  /** Told of a round that failed; the next one tries again. */
  readonly onProblem: (error: unknown) => void;
}

/** Keeps the inference log within its days and bytes. May run in any number of processes. */
export class LogRetentionSweep {
  readonly #options: LogRetentionSweepOptions;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> = Promise.resolve();

  constructor(options: LogRetentionSweepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#round = this.#round.then(() => this.#attempt());
    }, this.#options.intervalMs ?? 60_000);
    this.#timer.unref();
    this.#round = this.#attempt();
  }

  /** Resolves when a round under way has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#round;
  }

  /** Resolves to the days that were dropped. */
  async runOnce(): Promise<string[]> {
    const days = await dropExpiredLogDays(this.#options.pool, this.#options.retention);
    if (days.length > 0) this.#options.onDropped(days);
    const pruned = await pruneLongLogs(this.#options.pool, this.#options.pipelineBytes);
    if (pruned.length > 0) this.#options.onPruned(pruned);
    return days;
  }

  async #attempt(): Promise<void> {
    try {
      await this.runOnce();
    } catch (error) {
      this.#options.onProblem(error);
    }
  }
}
