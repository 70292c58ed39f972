import type { Renewal, StopOrder } from '@pademelon/domain';
import { within } from '@pademelon/runtime';
import { monotonicMs } from './workbench/monotonic-clock.ts';

export interface LeaseKeeperOptions {
  readonly renew: () => Promise<Renewal>;
  readonly durationMs: number;
  /** Called after each renewal with when the lease is over, by the monotonic clock. */
  readonly onRenewed: (trustedUntilMs: number) => void;
  readonly onStop: (order: StopOrder) => void;
  /** The lease is gone, or must be taken to be: the database did not answer until it was over. */
  readonly onLost: () => void;
}

/**
 * Renews a lease three times in its duration, and asks again and again while the database is away: two thirds of the
 * duration may pass without it. The database's clock decides when the lease is over; this side counts from before each
 * question was sent, so it always stops trusting the lease first.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  #trustedUntilMs = 0;
  #timer: NodeJS.Timeout | null = null;
  #renewing: Promise<boolean> | null = null;
  #wasAnswered = true;
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
    const { durationMs } = this.#options;
    this.#timer = setTimeout(
      () => {
        void this.renewNow().then(() => {
          if (!this.#isStopped) this.#schedule();
        });
      },
      this.#wasAnswered ? durationMs / 3 : durationMs / 30,
    );
  }

  async #renew(): Promise<boolean> {
    const { renew, durationMs } = this.#options;
    const askedAtMs = monotonicMs();
    try {
      // A connection whose other end has vanished would be waited for until the lease is over.
      const renewal = await within('The database', durationMs / 6, renew());
      this.#wasAnswered = true;
      if (this.#isStopped) return renewal.kind === 'held';
      if (renewal.kind === 'lost') return this.#lose();
      this.#trustedUntilMs = askedAtMs + durationMs;
      this.#options.onRenewed(this.#trustedUntilMs);
      if (renewal.mustStop !== null) this.#options.onStop(renewal.mustStop);
      return true;
    } catch {
      this.#wasAnswered = false;
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
