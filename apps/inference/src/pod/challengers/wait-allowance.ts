export interface WaitAllowanceOptions {
  /** Milliseconds that an answer may wait whatever came before, beside what the challengers would take if they were the champion. */
  readonly leastMs: number;
  /** Milliseconds of longer waiting that are allowed at once, after a while without any. */
  readonly savedMs: number;
  /** Milliseconds from one answer to the next up to which a pipeline is busy: nothing is saved up in them. */
  readonly busyMs: number;
  /** Part of the other time that answers may spend on longer waiting in the long run. */
  readonly share: number;
}

/** What docs/decisions/0014 says. */
export const waitAllowanceDefaults: WaitAllowanceOptions = { leastMs: 10, savedMs: 1_000, busyMs: 100, share: 0.02 };

/**
 * How long answers may wait for challengers. Those that are as quick as the champion are always waited for; slower ones
 * only as long as that is rare, and not at all by a pipeline that has been busy for a while, so that however slow they are,
 * the champion's answers are not slow for it. Times are milliseconds of any one clock.
 */
export class WaitAllowance {
  readonly #options: WaitAllowanceOptions;
  #savedMs: number;
  #countedAtMs: number | null = null;
  #lastMs = 0;

  constructor(options: WaitAllowanceOptions = waitAllowanceDefaults) {
    this.#options = options;
    this.#savedMs = options.savedMs;
  }

  /**
   * How long an answer may wait from now on, of which `freeMs` count for nothing: 0 where the last results came later than
   * that, since waiting would most likely be in vain.
   */
  grant(nowMs: number, championMs: number): { readonly freeMs: number; readonly waitMs: number } {
    const { savedMs, busyMs, share, leastMs } = this.#options;
    const quietMs = nowMs - (this.#countedAtMs ?? nowMs) - busyMs;
    this.#savedMs = Math.min(savedMs, this.#savedMs + Math.max(0, quietMs) * share);
    this.#countedAtMs = nowMs;
    const freeMs = Math.max(leastMs, championMs);
    const mostMs = freeMs + this.#savedMs;
    return { freeMs, waitMs: this.#lastMs <= mostMs ? mostMs : 0 };
  }

  /** An answer has waited so long, of which `freeMs` count for nothing. */
  spend(waitedMs: number, freeMs: number): void {
    this.#savedMs = Math.max(0, this.#savedMs - Math.max(0, waitedMs - freeMs));
  }

  /** All results that an answer could tell were there this long after the champion's, whether it waited or not. */
  learn(tookMs: number): void {
    this.#lastMs = tookMs;
  }
}
