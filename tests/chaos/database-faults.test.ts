import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@pademelon/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { finalWithinMs, sizes } from './sizes.ts';
import { awaitFinal } from './support/await-final.ts';
import { printCounts, tally } from './support/counts.ts';
import { checkHistory } from './support/history-checker.ts';
import { Orders } from './support/orders.ts';
import { queuesOrOnly, type Stack, startStack } from './support/stack.ts';

/** Long enough for a worker on a busy machine to see that its run has ended. */
const awayMs = 5_000;

let stack: Stack;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(stack.tail());
  await stack.stop();
});

describe.each(queuesOrOnly('postgres'))('with the queue on $queue', ({ queue, isThere }) => {
  const deadlineMs = 120_000 + sizes.databaseFaults * 2 * sizes.runsPerFault * 5_000 + finalWithinMs;
  test.skipIf(!isThere)('nothing that was committed is lost', { timeout: deadlineMs }, async () => {
    // A lease that a busy machine does not lose: every run has to succeed here.
    stack = await startStack({ queue, workers: 2, concurrency: 3, leaseMs: 30_000 });
    const orders = new Orders(stack);
    for (let fault = 1; fault <= sizes.databaseFaults; fault += 1) {
      await loadDuring(orders, (whileAway) => stack.database.restart(whileAway));
      await loadDuring(orders, (whileAway) => stack.database.crash(whileAway));
    }
    const runs = await awaitFinal(stack, orders.accepted.length * 5_000);
    const faults = checkHistory({ accepted: orders.accepted, runs, entries: stack.history.entries });
    printCounts(`PostgreSQL, queue ${queue}`, {
      ...{ restarts: sizes.databaseFaults, crashes: sizes.databaseFaults, accepted: orders.accepted.length },
      ...{ refused: orders.refused.length, ...tally(runs.map(({ state }) => state)), faults: faults.length },
    });
    expect(faults).toEqual([]);
    // What was refused while the database was away was refused in so many words.
    expect(orders.refused.filter(({ status }) => status !== 503)).toEqual([]);
    expect(runs.filter(({ state }) => state !== 'success')).toEqual([]);
    expect(orders.accepted.length).toBeGreaterThanOrEqual(sizes.databaseFaults * 2 * sizes.runsPerFault);
  });
});

/** Orders before, while and after the fault, until enough orders were accepted; a run ends while the database is away. */
async function loadDuring(orders: Orders, fault: (whileAway: () => Promise<void>) => Promise<void>): Promise<void> {
  const wanted = orders.accepted.length + sizes.runsPerFault;
  const label = `ending-${orders.accepted.length}`;
  const letEnd = stack.history.hold(label, 'END');
  await orders.add({ label });
  await orders.add({ beats: 20 });
  await waitUntil('a run is at its end', () => stack.history.of(label, 'END').length > 0, 60_000);
  const happening = fault(async () => {
    letEnd();
    await delay(awayMs);
  });
  while (orders.accepted.length < wanted) {
    await orders.ask({ beats: 20 });
    await delay(50);
  }
  await happening;
}
