import { waitUntil } from '@pademelon/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { finalWithinMs, leaseMs, sizes } from './sizes.ts';
import { awaitFinal } from './support/await-final.ts';
import { printCounts, tally } from './support/counts.ts';
import { forgetSlowEnvironment } from './support/forget-environment.ts';
import { closeGates } from './support/gates.ts';
import { checkHistory } from './support/history-checker.ts';
import { Orders } from './support/orders.ts';
import { readRuns } from './support/run-records.ts';
import { queuesOrOnly, type Stack, startStack } from './support/stack.ts';

let stack: Stack;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(stack.tail());
  await stack.stop();
});

const positions = ['claiming', 'building', 'starting', 'running', 'ending'] as const;

describe.each(queuesOrOnly('off'))('with the queue on $queue', ({ queue, isThere }) => {
  const deadlineMs = 60_000 + sizes.freezes * 60_000 + finalWithinMs;
  test.skipIf(!isThere)('what a worker does after it was frozen changes nothing', { timeout: deadlineMs }, async () => {
    stack = await startStack({ queue, workers: 2, concurrency: 24 });
    const orders = new Orders(stack);
    for (let freeze = 1; freeze <= sizes.freezes; freeze += 1) await freezeBeyondLease(orders, freeze);
    const runs = await awaitFinal(stack, finalWithinMs);
    const faults = checkHistory({ accepted: orders.accepted, runs, entries: stack.history.entries });
    printCounts(`frozen workers, queue ${queue}`, {
      ...{ freezes: sizes.freezes, runs: runs.length, ...tally(runs.map(({ state }) => state)), faults: faults.length },
    });
    expect(faults).toEqual([]);
    for (const { label, state, reason } of runs) {
      const isOther = label.startsWith('other');
      expect([label, state, reason]).toEqual([label, ...(isOther ? ['success', 'completed'] : lost)]);
    }
    expect(runs).toHaveLength(sizes.freezes * (positions.length + 1));
  });
});

const lost = ['failure', 'worker_lost'] as const;

/**
 * Freezes a worker that has runs in every state, lets what it had sent be carried out and what it waits for happen,
 * and wakes it up when another worker has ended its runs.
 */
async function freezeBeyondLease(orders: Orders, freeze: number): Promise<void> {
  const { pool, history, index } = stack;
  const [worker, other] = stack.workers as [Stack['workers'][number], Stack['workers'][number]];
  const label = (position: string): string => `${position}-${freeze}`;
  await other.service.kill();
  forgetSlowEnvironment(worker.environments);
  const gates = await closeGates(pool, ['claim', 'start']);
  const release = history.hold(label('ending'), 'END');
  await orders.add({ label: label('running'), beats: 3_000 });
  await orders.add({ label: label('ending') });
  for (const [position, word] of [
    ['running', 'BEAT'],
    ['ending', 'END'],
  ] as const) {
    await waitUntil(`${position} says ${word}`, () => history.of(label(position), word).length > 0, 30_000);
  }
  index.fallSilent();
  await orders.add({ label: label('building'), orchestration: 'slow' });
  await waitUntil('it is building', () => worker.isBuilding(), 30_000);
  await orders.add({ label: label('starting'), gate: 'start' });
  await orders.add({ label: label('claiming'), gate: 'claim' });
  await waitUntil('both stand at their gates', async () => (await gates.waiting()).length === 2, 30_000);

  worker.service.freeze();
  const frozenAt = performance.now();
  await gates.open();
  release();
  index.speakAgain();
  await other.service.start();
  await orders.add({ label: label('other') });
  const before = await awaitFinal(stack, finalWithinMs);
  expect(performance.now() - frozenAt).toBeGreaterThan(leaseMs * 0.6);
  worker.service.thaw();
  await waitUntil('it has let go of all runs', () => worker.attempts().length === 0, 30_000);
  // The build goes on for others, and would bring the environment back after the next freeze has taken it away.
  await waitUntil('it has built', () => !worker.isBuilding(), 30_000);
  expect(await readRuns(pool)).toEqual(before);
}
