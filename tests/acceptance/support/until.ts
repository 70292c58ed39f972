import { setTimeout as sleep } from 'node:timers/promises';

export interface UntilOptions {
  readonly withinMs: number;
  readonly everyMs?: number;
  /** Names what was waited for, for the error's sentence. */
  readonly what: string | (() => string);
}

/** Asks until the answer is neither undefined nor false, and gives that answer; a thrown error ends the wait. */
export async function until<T>(
  ask: () => Promise<T | undefined | false>,
  options: UntilOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + options.withinMs;
  while (true) {
    const answer = await ask();
    if (answer !== undefined && answer !== false && answer !== null) return answer as NonNullable<T>;
    if (performance.now() > deadline) {
      const what = typeof options.what === 'string' ? options.what : options.what();
      throw new Error(`Waited ${options.withinMs} ms in vain for ${what}`);
    }
    await sleep(options.everyMs ?? 100);
  }
}
