import { afterEach, expect, test } from 'vitest';
import { finalWithinMs, sizes } from './sizes.ts';
import { awaitFinal } from './support/await-final.ts';
import { printCounts, tally } from './support/counts.ts';
import { checkHistory } from './support/history-checker.ts';
import { Orders } from './support/orders.ts';
import { hasRedis } from './support/redis-server.ts';
import { type Stack, startStack } from './support/stack.ts';

let stack: Stack;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(stack.tail());
  await stack.stop();
});

const deadlineMs = 120_000 + sizes.redisFaults * 2 * sizes.runsPerFault * 5_000 + finalWithinMs;
const downMs = 3_000;

test.skipIf(!hasRedis)('nothing is lost with what Redis loses', { timeout: deadlineMs }, async () => {
  // A lease that a busy machine does not lose: every run has to succeed here.
  stack = await startStack({ queue: 'redis', workers: 2, concurrency: 2, leaseMs: 30_000 });
  const orders = new Orders(stack);
  for (let fault = 1; fault <= sizes.redisFaults; fault += 1) {
    await Promise.all([load(orders), stack.redis?.flush()]);
    await Promise.all([load(orders), stack.redis?.crash(downMs)]);
  }
  const runs = await awaitFinal(stack, orders.accepted.length * 5_000);
  const faults = checkHistory({ accepted: orders.accepted, runs, entries: stack.history.entries });
  printCounts('Redis', {
    ...{ flushes: sizes.redisFaults, crashes: sizes.redisFaults, accepted: orders.accepted.length },
    ...{ refused: orders.refused.length, ...tally(runs.map(({ state }) => state)), faults: faults.length },
  });
  expect(faults).toEqual([]);
  expect(orders.refused).toEqual([]);
  expect(tally(runs.map(({ state }) => state))).toEqual({ success: sizes.redisFaults * 2 * sizes.runsPerFault });
});

/** Orders one after the other, while the fault happens beside it. */
async function load(orders: Orders): Promise<void> {
  for (let run = 0; run < sizes.runsPerFault; run += 1) {
    const askedAt = performance.now();
    await orders.ask({});
    // Whoever orders does not wait for a queue that is away.
    expect(performance.now() - askedAt).toBeLessThan(2_500);
  }
}
