import { randomUUID } from 'node:crypto';
import { PgRunStore } from '@pademelon/database/sql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';
import { createReadyOrchestration, createWorkspace, uploadZip } from '../../test-orchestration.ts';

const sdk2023 = { 'user-agent': 'python-httpx/0.23.3' };

let api: TestApi;
let store: PgRunStore;
let workspaceId: number;
let orchestrationId: string;
beforeAll(async () => {
  api = await createTestApi();
  store = new PgRunStore(api.database.pool);
  workspaceId = await createWorkspace(api, 'ada', 'lab');
  orchestrationId = await createReadyOrchestration(api, 'ada', workspaceId);
});
afterAll(() => api.close());

const call = (verb: string, body: object) => api.post('ada', `/v1/api/task/${verb}`, body);

const order = (body: object) => ({
  json: {},
  orch_id: orchestrationId,
  workspace_id: workspaceId,
  name: 'test',
  debug: false,
  timeout: null,
  ...body,
});

async function start(verb = 'run_once', body: object = {}): Promise<{ id: string; runId: string | undefined }> {
  const started = await call(verb, order(body));
  expect(started.statusCode, started.body).toBe(201);
  const { id } = started.json();
  return { id, runId: (await read(id)).last_runs[0]?.run_id };
}

async function read(id: string) {
  return (await call('get_by_id', { id })).json();
}

/** Claims and starts the one run of a new task, as a worker would. */
async function startRun() {
  const { id, runId } = await start();
  const claimed = (await store.claim(runId as string, 'worker', 30_000))!;
  await store.markStarted(claimed.lease, 'jail');
  return { id, runId: runId as string, lease: claimed.lease };
}

test('an accepted run is there at once, waiting for a worker', async () => {
  const { id, runId } = await start('run_once', { json: { rows: 3 } });
  const task = await read(id);
  expect(task).toMatchObject({
    id,
    status: 'pending',
    killed: false,
    input_data: { rows: 3 },
    run_type: 'Oneshot',
    timeout: 3600,
    orch_id: orchestrationId,
  });
  expect(task.last_runs).toMatchObject([{ run_id: runId, status: 'running', state: 'pending' }]);
  expect((await call('list_task_runs', { task_id: id })).json()).toMatchObject([{ run_id: runId, task: id }]);
  expect((await call('get_logs_for_run', { id: runId })).json()).toEqual({ logs: [] });
});

test('an orchestration that is not ready is not run', async () => {
  const { id } = (await uploadZip(api, 'ada', workspaceId)).json();
  const refused = await call('run_once', order({ orch_id: id }));
  expect(refused.statusCode).toBe(409);
  expect(refused.json().msg).toContain('still being packaged');
});

test('a task stays started after its run has ended; how it ended is in its runs', async () => {
  const { id, runId, lease } = await startRun();
  expect(await read(id)).toMatchObject({ status: 'started', last_runs: [{ status: 'running', state: 'running' }] });
  await store.finish(lease, { reason: 'exit_code', text: 'main.py ended with status 3.', exitCode: 3 });
  expect(await read(id)).toMatchObject({
    status: 'started',
    last_runs: [{ status: 'failure', reason: 'exit_code', reason_text: 'main.py ended with status 3.', exit_code: 3 }],
  });
  const details = await call('get_run_details', { pod_id: runId, task: id });
  expect(details.json()).toMatchObject({ run_id: runId, status: 'failure' });
  expect((await call('get_run_details', { pod_id: runId, task: randomUUID() })).statusCode).toBe(404);
});

test('a run tells how its code is kept apart, once it has started', async () => {
  const { id, runId } = await start();
  expect((await read(id)).last_runs).toMatchObject([{ sandbox: null }]);
  const { lease } = (await store.claim(runId as string, 'worker', 30_000))!;
  await store.markStarted(lease, 'process');
  expect((await read(id)).last_runs).toMatchObject([{ sandbox: 'process' }]);
  expect((await call('list_task_runs', { task_id: id })).json()).toMatchObject([{ sandbox: 'process' }]);
  expect((await call('get_run_details', { pod_id: runId, task: id })).json()).toMatchObject({ sandbox: 'process' });
});

describe('words', () => {
  test('a run that took too long is timed_out to the 2026 SDK and a failure to the 2023 one', async () => {
    const { id, runId, lease } = await startRun();
    await store.finish(lease, { reason: 'timeout', text: 'Too long.', exitCode: null });
    const ask = async (verb: string, body: object) =>
      (await api.send('ada', { method: 'POST', url: `/v1/api/task/${verb}`, payload: body, headers: sdk2023 })).json();
    const newer = (await call('list_task_runs', { task_id: id, status: 'timed_out' })).json();
    expect(newer).toMatchObject([{ run_id: runId, status: 'timed_out' }]);
    expect((await call('list_task_runs', { task_id: id, status: 'failure' })).json()).toEqual([]);
    const older = await ask('list_task_runs', { task_id: id, status: 'failure' });
    expect(older).toMatchObject([{ run_id: runId, status: 'failure' }]);
    expect((await ask('get_by_id', { id })).last_runs[0].status).toBe('failure');
  });
});

describe('a kill', () => {
  test('ends at once what nobody has begun', async () => {
    const { id, runId } = await start();
    const killed = await call('kill', { id });
    expect(killed.statusCode).toBe(202);
    expect(killed.json()).toMatchObject({ id, status: 'pending_kill', killed: true });
    expect(killed.json().last_runs).toMatchObject([{ run_id: runId, status: 'killed', reason: 'killed_by_user' }]);
    expect(await store.claim(runId as string, 'worker', 30_000)).toBeNull();
  });

  test('asks the worker of a run that is going on, and the wish beats every other end', async () => {
    const { id, lease } = await startRun();
    expect((await call('kill', { id })).json()).toMatchObject({ last_runs: [{ state: 'running' }] });
    expect(await store.renew(lease)).toEqual({ kind: 'held', mustStop: 'killed' });
    await store.finish(lease, { reason: 'exit_code', text: 'Killed.', exitCode: 137 });
    expect(await read(id)).toMatchObject({ status: 'pending_kill', last_runs: [{ state: 'killed' }] });
  });

  test('that comes with a claim never lets the run through unseen', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const { id, runId } = await start();
      const [claimed] = await Promise.all([store.claim(runId as string, 'worker', 30_000), call('kill', { id })]);
      const [run] = (await read(id)).last_runs;
      if (claimed === null) expect(run.state).toBe('killed');
      else expect(await store.renew(claimed.lease)).toEqual({ kind: 'held', mustStop: 'killed' });
      outcomes.add(run.state);
    }
    expect([...outcomes].every((state) => ['killed', 'claimed'].includes(state))).toBe(true);
  });

  test('is harmless when repeated, and takes the task out of the list', async () => {
    const { id } = await start();
    await call('kill', { id });
    const again = await call('kill', { id });
    expect([again.statusCode, again.json().status]).toEqual([202, 'pending_kill']);
    const ids = async (body: object) => (await call('list', body)).json().map((task: { id: string }) => task.id);
    expect(await ids({ workspace_id: workspaceId, killed: false })).not.toContain(id);
    expect(await ids({ workspace_id: workspaceId, killed: true })).toContain(id);
  });
});

describe('a schedule', () => {
  const schedule = (body: object) => call('run_scheduled', order({ schedule: '*/5 * * * *', ...body }));

  test('is started at once, with its next slot by the clock of the database, and no run yet', async () => {
    const { id } = await start('run_scheduled', { schedule: '*/5 * * * *' });
    const task = await read(id);
    expect(task).toMatchObject({
      status: 'started',
      run_type: 'CronJob',
      schedule: '*/5 * * * *',
      time_zone: 'UTC',
      overlap_policy: 'skip',
      missed_run_policy: 'last',
      last_runs: [],
    });
    const { rows } = await api.database.pool.query('SELECT now()');
    const inMs = Date.parse(task.next_run_at) - rows[0].now.getTime();
    expect(inMs).toBeGreaterThan(-1_000);
    expect(inMs).toBeLessThanOrEqual(300_000);
    expect(Date.parse(task.next_run_at) % 300_000).toBe(0);
  });

  test('keeps its time zone and policies', async () => {
    const policies = { time_zone: 'Asia/Tokyo', overlap_policy: 'queue', missed_run_policy: 'all', max_attempts: 3 };
    const { id } = await start('run_scheduled', { schedule: '30 9 * * *', ...policies });
    const task = await read(id);
    expect(task).toMatchObject(policies);
    expect(task.next_run_at).toMatch(/T00:30:00\.000Z$/);
  });

  test('with a year of the form of the tutorial is taken', async () => {
    const { id } = await start('run_scheduled', { schedule: '0 0 12 1-15 2 2044' });
    expect((await read(id)).next_run_at).toBe('2044-02-01T12:00:00.000Z');
  });

  test('whose years are over, as those of the tutorial are, is taken and has no next slot, also when it goes on', async () => {
    const schedule = '0 0 12 1-15 2 2024';
    const { id } = await start('run_scheduled', { schedule });
    const over = { status: 'started', schedule, next_run_at: null, last_runs: [] };
    expect(await read(id)).toMatchObject(over);
    expect((await call('preview_schedule', { schedule })).json()).toEqual({ slots: [] });
    await call('pause', { id, pause: true });
    expect((await call('pause', { id, pause: false })).json()).toMatchObject(over);
  });

  test.each([
    ['a minute out of range', { schedule: '60 * * * *' }],
    ['a sixth field that is no year', { schedule: '* * * * * *' }],
    ['a sixth field that may be any year', { schedule: '0 0 12 1-15 2 *' }],
    ['a nickname', { schedule: '@reboot' }],
    ['a day that never comes', { schedule: '0 0 30 2 *' }],
    ['a day that never came', { schedule: '0 0 12 30 2 2024' }],
    ['ten thousand characters', { schedule: '* '.repeat(5_000) }],
    ['nothing', { schedule: '' }],
    ['a zone on another planet', { time_zone: 'Mars/Phobos' }],
    ['an unknown policy', { overlap_policy: 'sometimes' }],
  ])('with %s is refused', async (_what, body) => {
    const refused = await schedule(body);
    expect(refused.statusCode).toBe(400);
    expect(refused.json()).toMatchObject({ code: 400, error: 'invalid_input', msg: expect.any(String) });
  });

  test('is previewed', async () => {
    const body = { schedule: '0 12 * * *', time_zone: 'Europe/Berlin', count: 3 };
    const { slots } = (await call('preview_schedule', body)).json();
    expect(slots).toHaveLength(3);
    const hours = slots.map((slot: string) =>
      new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hour12: false }).format(
        new Date(slot),
      ),
    );
    expect(new Set(hours)).toEqual(new Set(['12']));
    expect([...slots].sort()).toEqual(slots);
  });

  test('is paused without a next slot and goes on with one; the 2023 SDK sees it started', async () => {
    const { id } = await start('run_scheduled', { schedule: '*/5 * * * *' });
    const paused = await call('pause', { id, pause: true });
    expect(paused.statusCode).toBe(202);
    expect(paused.json()).toMatchObject({ status: 'paused', paused: true, next_run_at: null });
    const older = await api.send('ada', {
      method: 'POST',
      url: '/v1/api/task/get_by_id',
      payload: { id },
      headers: sdk2023,
    });
    expect(older.json().status).toBe('started');
    const resumed = (await call('pause', { id, pause: false })).json();
    expect(resumed).toMatchObject({ status: 'started', paused: false, next_run_at: expect.any(String) });
    await call('kill', { id });
    expect((await call('pause', { id, pause: true })).statusCode).toBe(409);
  });
});

test('a continuous task has its first run with it, a one-time task cannot be paused', async () => {
  const { id, runId } = await start('run_continuously');
  expect(runId).toBeDefined();
  expect(await read(id)).toMatchObject({ status: 'started', run_type: 'NetworkService', service_name: 'test' });
  const once = await start();
  expect((await call('pause', { id: once.id, pause: true })).statusCode).toBe(409);
});

test.each([
  ['a timeout of 0', { timeout: 0 }, 400],
  ['a negative timeout', { timeout: -1 }, 400],
  ['a timeout beyond a day', { timeout: 86_401 }, 400],
  ['a huge timeout', { timeout: 1e12 }, 400],
  ['a timeout that is a text', { timeout: '60' }, 400],
  ['too many attempts', { max_attempts: 11 }, 400],
  ['arguments that are a list', { json: [1] }, 400],
  ['arguments nested too deep', { json: deep(40) }, 400],
  ['arguments of 65 KB', { json: { text: 'secret'.repeat(11_000) } }, 413],
  ['arguments with a NUL', { json: { text: '\u0000' } }, 400],
  ['a name that is too long', { name: 'x'.repeat(256) }, 400],
  ['an id that is none', { orch_id: '1e3' }, 404],
  ['an id that is a list', { orch_id: ['x'] }, 400],
  ['a workspace beyond 32 bits', { workspace_id: 2 ** 53 }, 404],
])('%s is refused', async (_what, body, status) => {
  for (const verb of ['run_once', 'run_scheduled', 'run_continuously']) {
    const refused = await call(verb, order({ schedule: '* * * * *', ...body }));
    expect([verb, refused.statusCode], refused.body).toEqual([verb, status]);
    expect(refused.body).not.toContain('secretsecret');
  }
});

test('a limit out of range is refused', async () => {
  const { id } = await start();
  for (const limit of [-1, 1e9, '5', 0.5]) {
    expect((await call('list_task_runs', { task_id: id, limit })).statusCode).toBe(400);
  }
  expect((await call('get_logs_for_run', { id, lines: -1 })).statusCode).toBe(400);
});

test('what the caller may not decide is not taken', async () => {
  const { id } = await start('run_once', { status: 'started', created_by: 'bob', id: randomUUID(), killed: true });
  expect(await read(id)).toMatchObject({ status: 'pending', created_by: 'ada', killed: false });
});

test('newest runs come last in a task, and first in the list of runs', async () => {
  const { id, runId } = await start();
  const later = [randomUUID(), randomUUID()];
  for (const [index, run] of later.entries()) {
    await api.database.pool.query(
      `INSERT INTO runs (id, task_id, state, start_deadline, created_at)
       VALUES ($1, $2, 'success', now(), now() + $3 * interval '1 second')`,
      [run, id, index + 1],
    );
  }
  const expected = [runId, ...later];
  const idsOf = (runs: { run_id: string }[]) => runs.map((run) => run.run_id);
  expect(idsOf((await read(id)).last_runs)).toEqual(expected);
  expect(idsOf((await call('list_task_runs', { task_id: id })).json())).toEqual(expected.toReversed());
  const limited = (await call('get_by_id', { id, run_limit: 1 })).json();
  expect(idsOf(limited.last_runs)).toEqual(expected.slice(-1));
  const { sha } = (await api.post('ada', '/v1/api/orchestration/get_by_id', { id: orchestrationId })).json();
  expect((await call('get_tasks_by_orch_sha', { sha })).json().ids).toContain(id);
});

test('an orchestration is listed with the tasks whose last run ended as asked', async () => {
  const { lease, id } = await startRun();
  await store.finish(lease, { reason: 'completed', text: 'Done.', exitCode: 0 });
  const list = async (statuses: string[]) => {
    const body = { task_run_status: statuses, workspace_ids: [workspaceId] };
    const { orchestrations } = (await api.post('ada', '/v1/api/orchestration/list_all', body)).json();
    return orchestrations.flatMap(({ tasks }: { tasks: { id: string }[] }) => tasks.map((task) => task.id));
  };
  expect(await list(['success'])).toContain(id);
  expect(await list([])).toContain(id);
  expect(await list(['timed_out', 'killed'])).not.toContain(id);
});

function deep(levels: number): object {
  let value: object = {};
  for (let level = 0; level < levels; level++) value = { a: value };
  return value;
}
