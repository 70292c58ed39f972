import type { Renewal } from '@pademelon/domain';
import { monotonicMs } from './workbench/monotonic-clock.ts';

export interface LeaseKeeperOptions {
  readonly renew: () => Promise<Renewal>;
  readonly durationMs: number;
  /** Called after each renewal with when the lease is over, by the monotonic clock. */
  readonly onRenewed: (trustedUntilMs: number) => void;
  readonly onCancel: () => void;
  /** The lease is gone, or must be taken to be: the database did not answer until it was over. */
  readonly onLost: () => void;
}

/**
 * Renews a lease three times in its duration. The database's clock decides when it is over; this side counts from
 * before each question was sent, so it always stops trusting the lease first.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #trustedUntilMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #renewing: Promise<boolean> | null = null;
  #isStopped = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Call right after the claim; `claimedAtMs` is when it was asked for, by the monotonic clock. */
  start(claimedAtMs: number): void {
    this.#trustedUntilMs = claimedAtMs + this.#options.durationMs;
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** By the monotonic clock. */
  get trustedUntilMs(): number {
    return this.#trustedUntilMs;
  }

  get isTrusted(): boolean {
    return monotonicMs() < this.#trustedUntilMs;
  }

  /** Resolves to whether the lease is still held. */
  renewNow(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      void this.renewNow().then(() => {
        if (!this.#isStopped) this.#schedule();
      });
    }, this.#options.durationMs / 3);
  }

  async #renew(): Promise<boolean> {
    const askedAtMs = monotonicMs();
    try {
      const renewal = await this.#options.renew();
      if (this.#isStopped) return renewal.kind === 'held';
      if (renewal.kind === 'lost') return this.#lose();
      this.#trustedUntilMs = askedAtMs + this.#options.durationMs;
      this.#options.onRenewed(this.#trustedUntilMs);
      if (renewal.isCancelRequested) this.#options.onCancel();
      return true;
    } catch {
      // The database is away: the lease we have is good until it is over.
      return this.isTrusted ? true : this.#lose();
    }
  }

  #lose(): boolean {
    this.stop();
    this.#options.onLost();
    return false;
  }
}
