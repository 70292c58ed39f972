export interface PatienceOptions {
  /** How long a challenger is not asked after it was late once; doubled each time it is late again. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

/**
 * Decides whether a challenger is asked. One that was late is not for a while, so that however slow it is, little is
 * kept for it in vain; one result in time makes good for all before.
 * Times are milliseconds of any one clock.
 */
export class Patience {
  readonly #options: PatienceOptions;
  #pauseMs = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  mayAsk(nowMs: number): boolean {
    return nowMs >= this.#pausedUntilMs;
  }

  wasInTime(): void {
    this.#pauseMs = 0;
  }

  /** Requests that were under way together are late together: they count once. */
  wasLate(nowMs: number): void {
    if (!this.mayAsk(nowMs)) return;
    const { pauseMs, maxPauseMs } = this.#options;
    this.#pauseMs = Math.min(maxPauseMs, this.#pauseMs === 0 ? pauseMs : this.#pauseMs * 2);
    this.#pausedUntilMs = nowMs + this.#pauseMs;
  }
}
