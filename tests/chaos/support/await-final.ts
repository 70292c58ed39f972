import { setTimeout as delay } from 'node:timers/promises';
import { type RunRecord, readRuns } from './run-records.ts';
import type { Stack } from './stack.ts';

/** Resolves to all runs when every one is over, or when the time is; the history checker tells the difference. */
export async function awaitFinal(stack: Stack, withinMs: number): Promise<RunRecord[]> {
  const deadlineAt = performance.now() + withinMs;
  for (;;) {
    const runs = await readRuns(stack.pool);
    if (runs.every(({ finishedAtMs }) => finishedAtMs !== null) || performance.now() > deadlineAt) return runs;
    await delay(100);
  }
}
