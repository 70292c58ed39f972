import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PgScheduleStore } from './pg-schedule-store.ts';
import { PgTaskStore } from './pg-task-store.ts';
import { openRunTestBench, type RunTestBench } from './run-test-bench.ts';

let bench: RunTestBench;
let schedules: PgScheduleStore;
let taskStore: PgTaskStore;
beforeAll(async () => {
  bench = await openRunTestBench();
  schedules = new PgScheduleStore(bench.database.pool);
  taskStore = new PgTaskStore(bench.database.pool);
});
afterAll(() => bench.close());

const minuteAgo = (): Date => new Date(Math.floor(Date.now() / 60_000) * 60_000);

function addScheduled(columns: Record<string, unknown> = {}): Promise<string> {
  return bench.addTask({ kind: 'scheduled', schedule: '* * * * *', next_run_at: minuteAgo(), ...columns });
}

async function runsOf(taskId: string): Promise<{ state: string; scheduled_for: Date | null }[]> {
  const { rows } = await bench.database.pool.query(
    'SELECT state, scheduled_for FROM runs WHERE task_id = $1 ORDER BY scheduled_for',
    [taskId],
  );
  return rows;
}

async function nextOf(taskId: string): Promise<Date | null> {
  const { rows } = await bench.database.pool.query('SELECT next_run_at FROM tasks WHERE id = $1', [taskId]);
  return rows[0].next_run_at;
}

test('a due slot becomes one run and the task moves on, with eight enqueuers at once', async () => {
  const tasks = await Promise.all(Array.from({ length: 40 }, () => addScheduled()));
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while ((await schedules.enqueueDue(5)).due > 0);
    }),
  );
  for (const task of tasks) {
    expect(await runsOf(task)).toHaveLength(1);
    expect((await nextOf(task))?.getTime()).toBeGreaterThan(Date.now() - 1_000);
  }
});

test('a slot that has its run already gets no second one', async () => {
  const slot = minuteAgo();
  const task = await addScheduled({ next_run_at: slot, overlap_policy: 'allow' });
  await bench.addRun(task, { scheduled_for: slot, state: 'success' });
  await schedules.enqueueDue(100);
  expect(await runsOf(task)).toHaveLength(1);
  expect((await nextOf(task))?.getTime()).toBeGreaterThan(slot.getTime());
});

test.each([
  ['killed', { is_killed: true }],
  ['paused', { is_paused: true }],
])('a task that is %s gets no run', async (_word, columns) => {
  const task = await addScheduled(columns);
  await schedules.enqueueDue(100);
  expect(await runsOf(task)).toEqual([]);
});

test('a busy task skips its slot by default and queues it when asked to', async () => {
  for (const [overlapPolicy, expected] of [
    ['skip', 1],
    ['queue', 2],
  ] as const) {
    const task = await addScheduled({ overlap_policy: overlapPolicy });
    await bench.addRun(task);
    await schedules.enqueueDue(100);
    expect(await runsOf(task)).toHaveLength(expected);
  }
});

test.each(['queue', 'allow'])(
  'no more runs of a task wait than may, with eight enqueuers at once (%s)',
  async (policy) => {
    const hourAgo = new Date(minuteAgo().getTime() - 3_600_000);
    const task = await addScheduled({ overlap_policy: policy, missed_run_policy: 'all', next_run_at: hourAgo });
    const enqueueAll = () => Promise.all(Array.from({ length: 8 }, () => schedules.enqueueDue(100)));
    await enqueueAll();
    const runs = await runsOf(task);
    expect(runs).toHaveLength(50);
    expect(runs.at(-1)?.scheduled_for?.getTime()).toBeGreaterThanOrEqual(hourAgo.getTime() + 3_600_000);
    await bench.database.pool.query('UPDATE tasks SET next_run_at = $2 WHERE id = $1', [
      task,
      new Date(Date.now() - 1),
    ]);
    await enqueueAll();
    expect(await runsOf(task)).toHaveLength(50);
  },
);

test('queued runs of one task are claimed one after the other', async () => {
  const task = await addScheduled({ overlap_policy: 'queue', next_run_at: null });
  const [first, second] = [await bench.addRun(task), await bench.addRun(task)];
  const claims = await Promise.all([bench.store.claim(first, 'w1', 30_000), bench.store.claim(second, 'w2', 30_000)]);
  const won = claims.filter((claim) => claim !== null);
  expect(won).toHaveLength(1);
  const waiting = won[0]?.runId === first ? second : first;
  expect(await bench.store.claim(waiting, 'w2', 30_000)).toBeNull();
  await bench.store.markStarted(won[0]!.lease, 'jail');
  expect(await bench.store.finish(won[0]!.lease, { reason: 'completed', text: 'done', exitCode: 0 })).toBe(true);
  expect(await bench.store.claim(waiting, 'w2', 30_000)).not.toBeNull();
});

test('of many runs of one task no two are claimed at once, however closely the claims follow each other', async () => {
  for (let round = 0; round < 150; round += 1) {
    const task = await addScheduled({ overlap_policy: 'queue', next_run_at: null });
    const runs = await Promise.all(Array.from({ length: 6 }, () => bench.addRun(task)));
    const claims = await Promise.all(runs.map((run, n) => bench.store.claim(run, `w${n}`, 30_000)));
    expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
  }
});

test('runs that wait for another of their task do not hide the runs of other tasks', async () => {
  const task = await addScheduled({ overlap_policy: 'queue', next_run_at: null });
  const waiting = [];
  for (let run = 0; run < 5; run += 1) waiting.push(await bench.addRun(task, { created_at: new Date(run) }));
  const other = await bench.addRun(await bench.addTask(), { created_at: new Date(10) });
  expect(await bench.store.listClaimable(3)).toEqual(waiting.slice(0, 3));
  await bench.store.claim(waiting[0] as string, 'w1', 30_000);
  expect(await bench.store.listClaimable(1)).toEqual([other]);
});

test('a schedule that cannot be read is marked and left alone', async () => {
  const task = await addScheduled({ schedule: 'nonsense' });
  await schedules.enqueueDue(100);
  const { rows } = await bench.database.pool.query('SELECT status, next_run_at FROM tasks WHERE id = $1', [task]);
  expect(rows).toEqual([{ status: 'schedule_error', next_run_at: null }]);
});

describe('a continuous task', () => {
  test('gets a run, and the next one only when that is over', async () => {
    const task = await bench.addTask({ kind: 'continuous' });
    expect(await schedules.enqueueContinuous(100)).toBe(1);
    expect(await schedules.enqueueContinuous(100)).toBe(0);
    await bench.database.pool.query(
      `UPDATE runs SET state = 'success', finished_at = now() - interval '1 minute' WHERE task_id = $1`,
      [task],
    );
    expect(await schedules.enqueueContinuous(100)).toBe(1);
  });

  test('gets one run from many enqueuers, however closely they follow each other', async () => {
    for (let round = 0; round < 20; round += 1) {
      const tasks = await Promise.all(Array.from({ length: 30 }, () => bench.addTask({ kind: 'continuous' })));
      await Promise.all(Array.from({ length: 8 }, () => schedules.enqueueContinuous(100)));
      for (const task of tasks) expect(await runsOf(task)).toHaveLength(1);
    }
  });

  test('waits after a failure', async () => {
    const task = await bench.addTask({ kind: 'continuous' });
    await bench.addRun(task, { state: 'failure', finished_at: new Date() });
    await schedules.enqueueContinuous(100);
    expect(await runsOf(task)).toHaveLength(1);
  });

  /** A task whose first run ended long enough ago for the next one. */
  async function addIdle(): Promise<string> {
    const task = await bench.addTask({ kind: 'continuous', status: 'started' });
    await bench.addRun(task, { state: 'success', finished_at: new Date(Date.now() - 60_000) });
    return task;
  }

  test('that is paused gets no further run, and one as soon as it goes on', async () => {
    const task = await addIdle();
    expect(await taskStore.setPaused('ada', task, { isPaused: true })).toBe(true);
    await schedules.enqueueContinuous(100);
    expect(await runsOf(task)).toHaveLength(1);
    expect(await taskStore.setPaused('ada', task, { isPaused: false, nextRunAt: null })).toBe(true);
    await schedules.enqueueContinuous(100);
    expect(await runsOf(task)).toHaveLength(2);
  });

  test('that is killed gets no further run, and cannot go on', async () => {
    const [task, other] = [await addIdle(), await addIdle()];
    expect(await taskStore.kill('ada', task)).toBe(true);
    expect(await taskStore.setPaused('ada', task, { isPaused: false, nextRunAt: null })).toBe(false);
    await schedules.enqueueContinuous(100);
    expect(await runsOf(task)).toHaveLength(1);
    expect(await runsOf(other)).toHaveLength(2);
  });

  test('that is paused or killed while many add runs gets none after that', async () => {
    const change = (task: string, round: number): Promise<boolean> =>
      round % 2 === 0 ? taskStore.kill('ada', task) : taskStore.setPaused('ada', task, { isPaused: true });
    for (let round = 0; round < 20; round += 1) {
      const task = await addIdle();
      const added = Array.from({ length: 4 }, () => schedules.enqueueContinuous(100));
      await change(task, round);
      const before = await runsOf(task);
      await Promise.all([...added, schedules.enqueueContinuous(100)]);
      expect(await runsOf(task)).toHaveLength(before.length);
    }
  });
});
