import { waitUntil } from '@pademelon/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { finalWithinMs, sizes } from './sizes.ts';
import { awaitFinal } from './support/await-final.ts';
import { printCounts, tally } from './support/counts.ts';
import { forgetSlowEnvironment } from './support/forget-environment.ts';
import { closeGates } from './support/gates.ts';
import { checkHistory } from './support/history-checker.ts';
import { Orders } from './support/orders.ts';
import { queues, type Stack, startStack } from './support/stack.ts';

let stack: Stack;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(stack.tail());
  await stack.stop();
});

/** What is to become of a run whose worker was killed while it was there. */
const endings = {
  // Nobody had it: the next worker runs it.
  pending: ['success'],
  // Claimed by the dead, without an answer: given up when the lease is over.
  claiming: ['failure worker_lost'],
  building: ['failure worker_lost'],
  starting: ['failure worker_lost'],
  // Its process is there, its code has not said a word.
  spawned: ['failure worker_lost'],
  running: ['failure worker_lost'],
  logging: ['failure worker_lost'],
  killing: ['killed killed_by_user'],
  // The write was sent before the worker died.
  finishing: ['success completed'],
  finished: ['success completed'],
  // The next kill may hit its second and last attempt.
  retrying: ['success completed', 'failure worker_lost'],
} as const satisfies Record<string, readonly string[]>;

type Position = keyof typeof endings;

describe.each(queues)('with the queue on $queue', ({ queue, isThere }) => {
  const deadlineMs = 60_000 + sizes.kills * 30_000 + finalWithinMs;
  test.skipIf(!isThere)('a run survives the death of its worker in every state', { timeout: deadlineMs }, async () => {
    stack = await startStack({ queue, workers: 1, concurrency: 24 });
    const orders = new Orders(stack);
    const killedAtMs = new Map<string, number>();
    for (let kill = 1; kill <= sizes.kills; kill += 1) await killWithRunsInEveryState(orders, kill, killedAtMs);
    const runs = await awaitFinal(stack, finalWithinMs);
    const faults = checkHistory({ accepted: orders.accepted, runs, entries: stack.history.entries });
    for (const run of runs) {
      const [position = '', kill = ''] = run.label.split('-');
      const ending = [run.state, run.reason].join(' ');
      const wanted: readonly string[] = endings[position as Position];
      if (!wanted.some((words) => ending.startsWith(words))) faults.push(`${run.label} ended as ${ending}`);
      if (position === 'retrying' && run.attempt !== 2) faults.push(`${run.label} had ${run.attempt} attempts`);
      const lateMs = (run.finishedAtMs ?? 0) - (killedAtMs.get(kill) ?? 0);
      if (lateMs > finalWithinMs) faults.push(`${run.label} was final ${lateMs} ms after the kill`);
    }
    printCounts(`worker kills, queue ${queue}`, {
      ...{ kills: sizes.kills, runs: runs.length, ...tally(runs.map(({ state }) => state)), faults: faults.length },
    });
    expect(faults).toEqual([]);
    expect(runs).toHaveLength(sizes.kills * Object.keys(endings).length);
  });
});

/** Brings one run into every state, kills the only worker with -9 and starts the next one. */
async function killWithRunsInEveryState(orders: Orders, kill: number, killedAtMs: Map<string, number>): Promise<void> {
  const { pool, history, index, workers, client } = stack;
  const [worker] = workers as [Stack['workers'][number]];
  const label = (position: Position): string => `${position}-${kill}`;
  forgetSlowEnvironment(worker.environments);
  const gates = await closeGates(pool);

  const finished = await orders.add({ label: label('finished'), beats: 1 });
  await orders.add({ label: label('spawned'), delay: 300 });
  await orders.add({ label: label('running'), beats: 3_000 });
  // Its first attempt is killed while it waits for the answer to its last word; its second gets one.
  await orders.add({ label: label('retrying'), beats: 3, maxAttempts: 2 });
  const holdRetrying = history.hold(label('retrying'), 'END');
  const killing = await orders.add({ label: label('killing'), beats: 3_000, isStubborn: true });
  for (const position of ['running', 'killing'] as const) await said(label(position), 'BEAT');
  await said(label('retrying'), 'END');
  await waitUntil('the first run is over', async () => (await stateOf(finished)) === 'success', 30_000);
  await client.call('/v1/api/task/kill', { id: killing });
  index.fallSilent();
  await orders.add({ label: label('building'), orchestration: 'slow' });
  await waitUntil('it is building', () => worker.isBuilding(), 30_000);
  for (const [position, gate] of [
    ['logging', 'log'],
    ['starting', 'start'],
    ['finishing', 'finish'],
    ['claiming', 'claim'],
  ] as const) {
    await orders.add({ label: label(position), beats: position === 'logging' ? 3_000 : 1, gate });
  }
  await waitUntil('all stand at their gates', async () => (await gates.waiting()).length === 4, 30_000);
  worker.service.freeze();
  await orders.add({ label: label('pending') });
  expect(await positions(kill)).toEqual(expectedStates);
  await worker.service.kill();
  killedAtMs.set(String(kill), Date.now());
  await gates.open();
  holdRetrying();
  index.speakAgain();
  await worker.service.start();
}

/** What the database says of each run at the moment of the kill; at a gate it still says what was before. */
const expectedStates: Readonly<Record<Position, string>> = {
  pending: 'pending',
  claiming: 'pending',
  building: 'claimed',
  starting: 'claimed',
  spawned: 'running',
  running: 'running',
  logging: 'running',
  killing: 'running',
  retrying: 'running',
  finishing: 'running',
  finished: 'success',
};

async function positions(kill: number): Promise<Record<string, string>> {
  const { rows } = await stack.pool.query<{ label: string; state: string }>(
    `SELECT split_part(input_data->>'label', '-', 1) AS label, state FROM tasks JOIN runs ON task_id = tasks.id
     WHERE split_part(input_data->>'label', '-', 2) = $1`,
    [String(kill)],
  );
  return Object.fromEntries(rows.map(({ label, state }) => [label, state]));
}

async function stateOf(taskId: string): Promise<string | undefined> {
  const { rows } = await stack.pool.query<{ state: string }>('SELECT state FROM runs WHERE task_id = $1', [taskId]);
  return rows[0]?.state;
}

function said(label: string, word: 'BEAT' | 'END'): Promise<unknown> {
  return waitUntil(`${label} says ${word}`, () => stack.history.of(label, word).length > 0, 30_000);
}
