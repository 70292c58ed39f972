import { DomainError } from '../domain-error.ts';

export interface LoginThrottleOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Failures within the window from one address for one user. */
  readonly failuresPerUser?: number;
  /** Failures within the window from one address for any users: a spray of one password over many names. */
  readonly failuresPerAddress?: number;
  readonly windowMs?: number;
}

/** Most pairs and addresses remembered; beyond it the one that has been quiet the longest is forgotten. */
const maxRemembered = 20_000;

/** Attempts of one address for one user that wait for one another; more are turned away. */
const maxWaiting = 32;

/**
 * Slows the guessing of passwords down. Attempts of one address for one user go one after another, so that many at once
 * get no more guesses than many in turn. Kept in the memory of each process: with several processes the limits multiply
 * by their number.
 */
export class LoginThrottle {
  readonly #now: () => number;
  readonly #failuresPerUser: number;
  readonly #failuresPerAddress: number;
  readonly #windowMs: number;
  readonly #failures = new Map<string, number[]>();
  readonly #lines = new Map<string, { last: Promise<unknown>; waiting: number }>();

  constructor(options: LoginThrottleOptions) {
    this.#now = options.now;
    this.#failuresPerUser = options.failuresPerUser ?? 5;
    this.#failuresPerAddress = options.failuresPerAddress ?? 50;
    this.#windowMs = options.windowMs ?? 60_000;
  }

  /**
   * Runs the check of a password and remembers when it fails, that is, resolves to null. Throws `overloaded`, with
   * `details.retry_after_seconds`, without running it when there were too many failures.
   */
  async attempt<T>(subject: { address: string; username: string }, check: () => Promise<T | null>): Promise<T | null> {
    const pair = `${subject.address} ${subject.username}`;
    return this.#inLine(pair, async () => {
      this.#refuseAbove(pair, this.#failuresPerUser);
      this.#refuseAbove(subject.address, this.#failuresPerAddress);
      const result = await check();
      if (result === null) {
        this.#remember(pair, this.#failuresPerUser);
        this.#remember(subject.address, this.#failuresPerAddress);
      }
      return result;
    });
  }

  async #inLine<T>(key: string, run: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { last: Promise.resolve(), waiting: 0 };
    if (line.waiting >= maxWaiting) throw tooMany(1);
    line.waiting += 1;
    this.#lines.set(key, line);
    const turn = line.last.then(run);
    // The next in line goes on whether this one fails or not.
    line.last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) this.#lines.delete(key);
    }
  }

  #refuseAbove(key: string, limit: number): void {
    const recent = this.#recent(key);
    const oldest = recent[0];
    if (recent.length < limit || oldest === undefined) return;
    throw tooMany(Math.max(1, Math.ceil((oldest + this.#windowMs - this.#now()) / 1000)));
  }

  #remember(key: string, limit: number): void {
    const recent = [...this.#recent(key), this.#now()].slice(-limit);
    // Deleted and set again, so that the map's order is the order of the last failure.
    this.#failures.delete(key);
    this.#failures.set(key, recent);
    for (const quietest of this.#failures.keys()) {
      if (this.#failures.size <= maxRemembered) break;
      this.#failures.delete(quietest);
    }
  }

  #recent(key: string): number[] {
    const since = this.#now() - this.#windowMs;
    return (this.#failures.get(key) ?? []).filter((at) => at > since);
  }
}

function tooMany(seconds: number): DomainError {
  return new DomainError('overloaded', `There were too many failed log-ins; try again in ${seconds} seconds.`, {
    details: { retry_after_seconds: seconds },
  });
}
