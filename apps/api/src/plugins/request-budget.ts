/**
 * How many requests each user may send: `perMinute` at once, and as many again in every minute, spread evenly. The
 * largest notebook display sends dozens; what stays beyond thousands is a loop that has gone wrong.
 */
export class RequestBudget {
  readonly #perMinute: number;
  readonly #now: () => number;
  /** By user: what was left at a moment. Users are known by then, so there are never more of these than of them. */
  readonly #left = new Map<string, { requests: number; atMs: number }>();

  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Takes one request from the user's budget; false when nothing is left of it. */
  take(userId: string): boolean {
    const nowMs = this.#now();
    const last = this.#left.get(userId) ?? { requests: this.#perMinute, atMs: nowMs };
    const regained = ((nowMs - last.atMs) / 60_000) * this.#perMinute;
    const requests = Math.min(this.#perMinute, last.requests + regained);
    const isEnough = requests >= 1;
    this.#left.set(userId, { requests: isEnough ? requests - 1 : requests, atMs: nowMs });
    return isEnough;
  }
}
