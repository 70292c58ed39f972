/** A pace is believed after this long; before, only the number of those who wait counts. */
const learningMs = 500;
/** What lies further back than this is forgotten. */
const windowMs = 1_000;

/**
 * How fast a deployment answers while requests wait for it. Only then does the pace tell what its pods can do: at other
 * times it tells how much is asked of them. Times are on the clock of performance.now().
 */
export class AnswerPace {
  #sinceMs = 0;
  #answers = 0;
  /** Length and answers of the window before the current one. */
  #earlierMs = 0;
  #earlierAnswers = 0;
  #isMeasuring = false;
  #endedAtMs = Number.NEGATIVE_INFINITY;

  /** The first request has to wait. After a moment in which nobody did, what was learned before still holds. */
  begin(nowMs: number): void {
    this.#isMeasuring = true;
    const pausedMs = nowMs - this.#endedAtMs;
    if (pausedMs < windowMs) {
      this.#sinceMs += pausedMs;
      return;
    }
    this.#sinceMs = nowMs;
    this.#answers = 0;
    this.#earlierMs = 0;
    this.#earlierAnswers = 0;
  }

  /** Nobody waits any more. */
  end(nowMs: number): void {
    this.#isMeasuring = false;
    this.#endedAtMs = nowMs;
  }

  note(nowMs: number): void {
    if (!this.#isMeasuring) return;
    if (nowMs - this.#sinceMs >= windowMs) {
      this.#earlierMs = nowMs - this.#sinceMs;
      this.#earlierAnswers = this.#answers;
      this.#sinceMs = nowMs;
      this.#answers = 0;
    }
    this.#answers++;
  }

  /** Milliseconds until `count` more answers; 0 while the pace is not known. */
  expectedMs(count: number, nowMs: number): number {
    const spanMs = this.#earlierMs + nowMs - this.#sinceMs;
    if (!this.#isMeasuring || spanMs < learningMs) return 0;
    return (count * spanMs) / Math.max(this.#answers + this.#earlierAnswers, 0.5);
  }
}
