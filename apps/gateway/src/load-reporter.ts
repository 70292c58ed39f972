import { randomUUID } from 'node:crypto';
import { readAutoscalePolicy } from '@pademelon/contracts';
import type { GatewayLoad, RouteRow } from '@pademelon/database/sql';

export interface LoadReporterOptions {
  /** Requests of a deployment that wait or are being answered; null when this gateway does not know it. */
  readonly loadOf: (row: RouteRow) => number | null;
  readonly write: (gatewayId: string, loads: readonly GatewayLoad[]) => Promise<void>;
  readonly sampleMs?: number;
  readonly reportMs?: number;
}

/**
 * Tells how many requests the deployments hold whose number of replicas follows it: the mean of many looks, since
 * between two looks a queue may have filled and emptied. While the database is away nothing is told, and nothing kept.
 */
export class LoadReporter {
  readonly #options: LoadReporterOptions;
  readonly #gatewayId = randomUUID();
  #rows: readonly RouteRow[] = [];
  /** By deployment. */
  #sums = new Map<number, number>();
  #looks = 0;
  #timers: NodeJS.Timeout[] = [];
  #isWriting = false;

  constructor(options: LoadReporterOptions) {
    this.#options = options;
  }

  start(): void {
    const { sampleMs = 50, reportMs = 1_000 } = this.#options;
    this.#timers = [setInterval(() => this.look(), sampleMs), setInterval(() => void this.report(), reportMs)];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Takes over which deployments are scaled by their queue. */
  watch(rows: readonly RouteRow[]): void {
    this.#rows = rows.filter(({ engineConfig }) => readAutoscalePolicy(engineConfig)?.trigger === 'queue');
    for (const id of this.#sums.keys()) {
      if (!this.#rows.some((row) => row.deploymentId === id)) this.#sums.delete(id);
    }
  }

  /** Takes one sample. */
  look(): void {
    if (this.#rows.length === 0) return;
    this.#looks++;
    for (const row of this.#rows) {
      const load = this.#options.loadOf(row);
      if (load !== null) this.#sums.set(row.deploymentId, (this.#sums.get(row.deploymentId) ?? 0) + load);
    }
  }

  /** Tells what was seen since the last time. Never rejects. */
  async report(): Promise<void> {
    if (this.#looks === 0 || this.#isWriting) return;
    const loads = Array.from(this.#sums, ([deploymentId, sum]) => ({ deploymentId, requests: sum / this.#looks }));
    this.#sums = new Map();
    this.#looks = 0;
    this.#isWriting = true;
    // The table refresher says that the database is away; autoscaling waits until it is back.
    await this.#options.write(this.#gatewayId, loads).catch(() => undefined);
    this.#isWriting = false;
  }
}
