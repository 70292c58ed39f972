import { randomUUID } from 'node:crypto';
import { type ClaimedRun, ownerInactive, type RunOutcome } from '@pademelon/domain';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openRunTestBench, type RunTestBench } from './run-test-bench.ts';

let bench: RunTestBench;
beforeAll(async () => {
  bench = await openRunTestBench();
});
afterAll(() => bench.close());

const leaseMs = 30_000;
const done: RunOutcome = { reason: 'completed', text: 'done', exitCode: 0 };

async function addClaimed(columns: Record<string, unknown> = {}): Promise<ClaimedRun> {
  const id = await bench.addRun(await bench.addTask(), columns);
  const claimed = await bench.store.claim(id, 'w1', leaseMs);
  if (claimed === null) throw new Error('the run could not be claimed');
  return claimed;
}

async function restoreOwner(): Promise<void> {
  await bench.database.pool.query('UPDATE users SET is_enabled = true');
  await bench.database.pool.query(
    `INSERT INTO workspace_members (workspace_id, user_id, role) VALUES (1, 'ada', 'OWNER') ON CONFLICT DO NOTHING`,
  );
}

async function eventsOf(runId: string): Promise<string[]> {
  const { rows } = await bench.database.pool.query('SELECT kind FROM run_events WHERE run_id = $1 ORDER BY id', [
    runId,
  ]);
  return rows.map(({ kind }) => kind);
}

describe('a claim', () => {
  test('hands out what the run needs and is the only one, of twenty at once', async () => {
    const id = await bench.addRun(await bench.addTask());
    const claims = await Promise.all(Array.from({ length: 20 }, (_, n) => bench.store.claim(id, `w${n}`, leaseMs)));
    const won = claims.filter((claim) => claim !== null);
    expect(won).toHaveLength(1);
    expect(won[0]).toMatchObject({
      runId: id,
      workspaceId: 1,
      userId: 'ada',
      attempt: 1,
      timeoutMs: 60_000,
      inputData: { a: 1 },
    });
    expect(await eventsOf(id)).toEqual(['claimed']);
  });

  test('is the same when it is asked for again with its token, as long as the lease lasts', async () => {
    const id = await bench.addRun(await bench.addTask());
    const token = randomUUID();
    const first = await bench.store.claim(id, 'w1', leaseMs, token);
    expect(first?.lease.token).toBe(token);
    expect(await bench.store.claim(id, 'w1', leaseMs, token)).toEqual(first);
    expect(await bench.store.claim(id, 'w2', leaseMs, randomUUID())).toBeNull();
    expect(await eventsOf(id)).toEqual(['claimed']);
    await bench.expireLease(id);
    expect(await bench.store.claim(id, 'w1', leaseMs, token)).toBeNull();
  });

  test.each([
    ['is already final', { state: 'success' }],
    ['waits for its retry', { not_before: new Date(Date.now() + 60_000) }],
    ['was cancelled', { cancel_requested_at: new Date() }],
    ['is too late', { start_deadline: new Date(Date.now() - 1_000) }],
  ])('takes no run that %s', async (_case, columns) => {
    const id = await bench.addRun(await bench.addTask(), columns);
    expect(await bench.store.claim(id, 'w1', leaseMs)).toBeNull();
  });

  test.each(['UPDATE users SET is_enabled = false', `DELETE FROM workspace_members WHERE user_id = 'ada'`])(
    'ends the run as owner_inactive after %s',
    async (change) => {
      const id = await bench.addRun(await bench.addTask());
      await bench.database.pool.query(change);
      try {
        expect(await bench.store.claim(id, 'w1', leaseMs)).toBeNull();
        expect(await bench.readRun(id)).toMatchObject({ state: 'failure', reason: 'owner_inactive', attempt: 0 });
      } finally {
        await restoreOwner();
      }
    },
  );
});

test('a run goes from claimed to running to success, and its task is started', async () => {
  const { lease, runId, taskId } = await addClaimed();
  expect(await bench.store.renew(lease)).toEqual({ kind: 'held', mustStop: null });
  expect(await bench.store.markStarted(lease, 'jail')).toBe(true);
  expect(await bench.store.appendLog(lease, 0, ['one', 'two\0'])).toBe(true);
  expect(await bench.store.finish(lease, done)).toBe(true);
  expect(await bench.readRun(runId)).toMatchObject({
    state: 'success',
    reason: 'completed',
    exit_code: 0,
    lease_token: null,
  });
  expect(await eventsOf(runId)).toEqual(['claimed', 'started', 'finished']);
  const { rows } = await bench.database.pool.query('SELECT status FROM tasks WHERE id = $1', [taskId]);
  expect(rows).toEqual([{ status: 'started' }]);
});

describe.each([
  ['is deactivated', 'UPDATE users SET is_enabled = false'],
  ['has left the workspace', `DELETE FROM workspace_members WHERE user_id = 'ada'`],
])('a run whose owner %s', (_what, change) => {
  afterEach(restoreOwner);

  test('while it is prepared is not started, and its worker learns why', async () => {
    const { lease, runId } = await addClaimed();
    await bench.database.pool.query(change);
    expect(await bench.store.markStarted(lease, 'jail')).toBe(false);
    expect(await bench.store.renew(lease)).toEqual({ kind: 'held', mustStop: 'owner_inactive' });
    expect(await bench.store.finish(lease, ownerInactive)).toBe(true);
    expect(await bench.readRun(runId)).toMatchObject({ state: 'failure', reason: 'owner_inactive', started_at: null });
  });

  test('while it goes on is to stop, and is not tried again', async () => {
    const { lease, runId } = await addClaimed({ max_attempts: 5 });
    expect(await bench.store.markStarted(lease, 'jail')).toBe(true);
    await bench.database.pool.query(change);
    expect(await bench.store.renew(lease)).toEqual({ kind: 'held', mustStop: 'owner_inactive' });
    expect(await bench.store.finish(lease, { ...ownerInactive, exitCode: 143 })).toBe(true);
    expect(await bench.readRun(runId)).toMatchObject({ state: 'failure', reason: 'owner_inactive', exit_code: 143 });
  });

  test('and that was to be killed before is killed', async () => {
    const { lease, runId } = await addClaimed();
    await bench.database.pool.query(change);
    await bench.database.pool.query('UPDATE runs SET cancel_requested_at = now() WHERE id = $1', [runId]);
    expect(await bench.store.renew(lease)).toEqual({ kind: 'held', mustStop: 'killed' });
  });
});

describe('whoever has lost the lease', () => {
  test('can write nothing any more, although its claim is still running', async () => {
    const { lease, runId } = await addClaimed({ max_attempts: 2 });
    await bench.expireLease(runId);
    expect(await bench.store.rescue(100)).toContain(runId);
    await bench.database.pool.query('UPDATE runs SET not_before = NULL WHERE id = $1', [runId]);
    const second = await bench.store.claim(runId, 'w2', leaseMs);
    expect(second).toMatchObject({ attempt: 2 });
    expect(await bench.store.renew(lease)).toEqual({ kind: 'lost' });
    expect(await bench.store.markStarted(lease, 'jail')).toBe(false);
    expect(await bench.store.appendLog(lease, 0, ['late'])).toBe(false);
    expect(await bench.store.finish(lease, done)).toBe(false);
    expect(await bench.store.release(lease)).toBe(false);
    expect(await bench.readRun(runId)).toMatchObject({ state: 'claimed', attempt: 2, worker_id: 'w2' });
  });

  test('cannot renew it once it is over by the clock of the database', async () => {
    const { lease, runId } = await addClaimed();
    await bench.expireLease(runId);
    expect(await bench.store.renew(lease)).toEqual({ kind: 'lost' });
    expect(await bench.store.markStarted(lease, 'jail')).toBe(false);
  });
});

describe('the rescuer', () => {
  test('ends a run whose worker is lost, once, of five at the same time', async () => {
    const { runId } = await addClaimed();
    await bench.expireLease(runId);
    const rounds = await Promise.all(Array.from({ length: 5 }, () => bench.store.rescue(100)));
    expect(rounds.flat().filter((id) => id === runId)).toHaveLength(1);
    expect(await bench.readRun(runId)).toMatchObject({ state: 'failure', reason: 'worker_lost' });
    expect(await eventsOf(runId)).toEqual(['claimed', 'finished']);
  });

  test('ends a run that nobody started in time', async () => {
    const id = await bench.addRun(await bench.addTask(), { start_deadline: new Date(Date.now() - 1_000) });
    expect(await bench.store.rescue(100)).toContain(id);
    expect(await bench.readRun(id)).toMatchObject({ state: 'failure', reason: 'not_started', attempt: 0 });
  });

  test('gives a lost run that somebody wanted killed no further attempt', async () => {
    const { runId } = await addClaimed({ max_attempts: 5 });
    await bench.database.pool.query('UPDATE runs SET cancel_requested_at = now() WHERE id = $1', [runId]);
    await bench.expireLease(runId);
    await bench.store.rescue(100);
    expect(await bench.readRun(runId)).toMatchObject({ state: 'killed', reason: 'killed_by_user' });
  });

  test('leaves a run alone whose lease is held', async () => {
    const { runId } = await addClaimed();
    expect(await bench.store.rescue(100)).not.toContain(runId);
  });
});

test('a retry waits, and its second attempt can be claimed then', async () => {
  const { lease, runId } = await addClaimed({ max_attempts: 2 });
  await bench.store.markStarted(lease, 'jail');
  await bench.store.finish(lease, { reason: 'timeout', text: 'too long', exitCode: null });
  const row = await bench.readRun(runId);
  expect(row).toMatchObject({ state: 'pending', attempt: 1, reason: 'timeout', finished_at: null });
  expect((row['not_before'] as Date).getTime()).toBeGreaterThan(Date.now());
  expect(await bench.store.listClaimable(1_000)).not.toContain(runId);
});

test('a release costs no attempt, and only before user code was started', async () => {
  const { lease, runId } = await addClaimed();
  expect(await bench.store.release(lease)).toBe(true);
  expect(await bench.readRun(runId)).toMatchObject({ state: 'pending', attempt: 0, worker_id: null });
  const again = await addClaimed();
  await bench.store.markStarted(again.lease, 'jail');
  expect(await bench.store.release(again.lease)).toBe(false);
});

test('a run that is to be killed is not started', async () => {
  const { lease, runId } = await addClaimed();
  await bench.database.pool.query('UPDATE runs SET cancel_requested_at = now() WHERE id = $1', [runId]);
  expect(await bench.store.renew(lease)).toEqual({ kind: 'held', mustStop: 'killed' });
  expect(await bench.store.markStarted(lease, 'jail')).toBe(false);
});

test('log lines that are sent twice are there once', async () => {
  const { lease, runId } = await addClaimed();
  expect(await bench.store.appendLog(lease, 0, ['one'])).toBe(true);
  expect(await bench.store.appendLog(lease, 0, ['one'])).toBe(true);
  const { rows } = await bench.database.pool.query('SELECT text FROM run_log_chunks WHERE run_id = $1', [runId]);
  expect(rows).toEqual([{ text: 'one\n' }]);
});

test('a start that is told twice, its answer having been lost, is one start', async () => {
  const { lease, runId } = await addClaimed();
  expect(await bench.store.markStarted(lease, 'jail')).toBe(true);
  const { started_at } = await bench.readRun(runId);
  expect(await bench.store.markStarted(lease, 'jail')).toBe(true);
  expect(await bench.readRun(runId)).toMatchObject({ state: 'running', started_at });
  expect(await eventsOf(runId)).toEqual(['claimed', 'started']);
});
