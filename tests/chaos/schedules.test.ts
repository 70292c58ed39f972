import { setTimeout as delay } from 'node:timers/promises';
import { waitUntil } from '@pademelon/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { sizes } from './sizes.ts';
import { printCounts } from './support/counts.ts';
import { queuesOrOnly, type Stack, startStack } from './support/stack.ts';

let stack: Stack;
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.log(stack.tail());
  await stack.stop();
});

describe.each(queuesOrOnly('off'))('with the queue on $queue', ({ queue, isThere }) => {
  const deadlineMs = 300_000 + sizes.scheduledTasks * 100 + sizes.slots * 90_000;
  test.skipIf(!isThere)('each slot of each task gets one run from two enqueuers', { timeout: deadlineMs }, async () => {
    stack = await startStack({ queue, workers: 2, concurrency: 1 });
    const kills = sizes.isRealTime ? await passInRealTime() : await passByDatabaseTime();
    const counts = await countSlots();
    const { lagP99, ...slots } = counts;
    const lag = sizes.isRealTime ? { 'p99 of seconds from slot to run': lagP99 } : {};
    printCounts(`schedules, queue ${queue}`, { tasks: sizes.scheduledTasks, kills, ...slots, ...lag });
    expect(counts).toMatchObject({ missing: 0, doubled: 0, odd: 0 });
    expect(counts.slots).toBeGreaterThanOrEqual(sizes.scheduledTasks * sizes.slots);
  });
});

/** Waits until every task has had its slots, while one enqueuer after the other is killed. Resolves to the kills. */
async function passInRealTime(): Promise<number> {
  // Nobody enqueues until every task and its first slot are written down.
  await Promise.all(stack.workers.map(({ service }) => service.kill()));
  await addTasks();
  await stack.pool.query('CREATE TABLE chaos.firsts AS SELECT id, next_run_at AS first FROM tasks');
  await Promise.all(stack.workers.map(({ service }) => service.start()));
  const endAt = performance.now() + (sizes.slots + 1) * 60_000;
  let kills = 0;
  while (performance.now() < endAt) {
    await delay(20_000);
    await killEnqueuer(kills);
    kills += 1;
  }
  await waitUntil('nothing is due', async () => (await countDue()) === 0, 60_000);
  return kills;
}

/**
 * Moves the next slot of all tasks back, so that many are due at once, and does it again when they are enqueued: the
 * second time each slot has its run already. Resolves to the kills.
 */
async function passByDatabaseTime(): Promise<number> {
  await addTasks();
  await stack.pool.query(`
    CREATE TABLE chaos.firsts AS
      SELECT id, date_trunc('minute', now()) - interval '1 minute' * ${sizes.slots - 1} AS first FROM tasks;
    CREATE FUNCTION chaos.delay() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$;
    CREATE TRIGGER chaos_delay BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION chaos.delay();`);
  const kills = 2;
  for (let kill = 0; kill < kills; kill += 1) {
    await stack.pool.query('UPDATE tasks SET next_run_at = first FROM chaos.firsts WHERE firsts.id = tasks.id');
    // An enqueuer is in the middle of its transaction: its first runs are inserted, and none is committed.
    await waitUntil('slots are being enqueued', isEnqueuing, 30_000);
    await killEnqueuer(kill);
    await waitUntil('nothing is due', async () => (await countDue()) === 0, 60_000);
  }
  return kills;
}

/** kill -9 of one of the two, in turn, and its start; the other goes on. */
async function killEnqueuer(turn: number): Promise<void> {
  const worker = stack.workers[turn % stack.workers.length];
  await worker?.service.kill();
  await worker?.service.start();
}

async function addTasks(): Promise<void> {
  const { client, workspaceId, orchestrations, history } = stack;
  for (let task = 1; task <= sizes.scheduledTasks; task += 1) {
    await client.call('/v1/api/task/run_scheduled', {
      orch_id: orchestrations.plain,
      workspace_id: workspaceId,
      name: `every minute ${task}`,
      json: { label: `scheduled-${task}`, beats: 0, history: history.port },
      schedule: '* * * * *',
      overlap_policy: 'allow',
      missed_run_policy: 'all',
    });
  }
}

async function isEnqueuing(): Promise<boolean> {
  const { rowCount } = await stack.pool.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`);
  return (rowCount ?? 0) > 0;
}

async function countDue(): Promise<number> {
  const { rows } = await stack.pool.query('SELECT count(*)::int AS due FROM tasks WHERE next_run_at <= now()');
  return rows[0].due;
}

interface SlotCounts {
  /** Minutes from the first slot of each task to the one before its next. */
  readonly slots: number;
  readonly missing: number;
  readonly doubled: number;
  /** Runs whose slot is no full minute, or was never due. */
  readonly odd: number;
  /** From a slot to its run, in whole seconds; of no meaning where slots were moved. */
  readonly lagP99: number;
}

/** Counts minutes without asking the product's own idea of a schedule. */
async function countSlots(): Promise<SlotCounts> {
  const { rows } = await stack.pool.query(`
    WITH wanted AS (
      SELECT tasks.id AS task_id, slot FROM chaos.firsts JOIN tasks USING (id),
        generate_series(first, next_run_at - interval '1 minute', interval '1 minute') AS slot)
    SELECT
      (SELECT count(*)::int FROM wanted) AS slots,
      (SELECT count(*)::int FROM wanted LEFT JOIN runs r ON r.task_id = wanted.task_id AND r.scheduled_for = slot
        WHERE r.id IS NULL) AS missing,
      (SELECT count(*)::int - count(DISTINCT (task_id, scheduled_for))::int FROM runs) AS doubled,
      (SELECT count(*)::int FROM runs r LEFT JOIN wanted ON r.task_id = wanted.task_id AND r.scheduled_for = slot
        WHERE slot IS NULL) AS odd,
      (SELECT ceil(percentile_cont(0.99) WITHIN GROUP (ORDER BY extract(epoch FROM created_at - scheduled_for)))::int
        FROM runs) AS "lagP99"`);
  return rows[0];
}
