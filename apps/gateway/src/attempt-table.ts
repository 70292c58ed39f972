import type { RunAttempt } from '@pademelon/database/sql';

const maxOver = 10_000;

/**
 * Which of the attempts whose tokens were seen here are going on. The first token of an attempt is asked for in the
 * database; from then on the answer comes from memory, as old as the last refresh at the most. An attempt that is over
 * never comes back.
 */
export class AttemptTable {
  readonly #find: (attempts: readonly RunAttempt[]) => Promise<readonly RunAttempt[]>;
  readonly #current = new Map<string, RunAttempt>();
  readonly #over = new Set<string>();

  constructor(find: (attempts: readonly RunAttempt[]) => Promise<readonly RunAttempt[]>) {
    this.#find = find;
  }

  isCurrent(run: RunAttempt): boolean | Promise<boolean> {
    const key = keyOf(run);
    if (this.#current.has(key)) return true;
    return this.#over.has(key) ? false : this.#ask(run);
  }

  /** Leaves everything as it was when the database is away. */
  async refresh(): Promise<void> {
    const asked = [...this.#current.values()];
    const current = new Set((await this.#find(asked)).map(keyOf));
    for (const run of asked) if (!current.has(keyOf(run))) this.#end(keyOf(run));
  }

  async #ask(run: RunAttempt): Promise<boolean> {
    const isCurrent = (await this.#find([run])).length > 0;
    if (isCurrent) this.#current.set(keyOf(run), run);
    else this.#end(keyOf(run));
    return isCurrent;
  }

  #end(key: string): void {
    this.#current.delete(key);
    this.#over.add(key);
    if (this.#over.size <= maxOver) return;
    // A set iterates in the order of insertion; what is forgotten is only asked for again.
    for (const oldest of this.#over) {
      this.#over.delete(oldest);
      return;
    }
  }
}

function keyOf({ runId, attempt }: RunAttempt): string {
  return `${runId} ${attempt}`;
}
