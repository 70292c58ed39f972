import { createPool } from '@pademelon/database';
import { waitUntil } from '@pademelon/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApi, type TestApi } from '../../test-api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await createTestApi();
});

afterAll(() => api.close());

it('is ready while the database answers, and says so without a token', async () => {
  const ask = () => api.app.inject({ url: '/readyz' });
  expect((await ask()).json()).toEqual({ status: 'ready', workers: {} });

  const [, name] = /\/\/\/([^?]+)/.exec(api.database.url) as RegExpExecArray;
  const administration = createPool(api.database.url.replace(`///${name}`, '///postgres'), { max: 1 });
  try {
    await administration.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS false`);
    await administration.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [
      name,
    ]);
    const answer = await ask();
    expect(answer.statusCode).toBe(503);
    expect(answer.json()).toEqual({ status: 'unavailable', reason: 'The database does not answer.' });
    // Alive all the same: restarting this process would not bring the database back.
    expect((await api.app.inject({ url: '/healthz' })).statusCode).toBe(200);
  } finally {
    await administration.query(`ALTER DATABASE ${name} WITH ALLOW_CONNECTIONS true`);
    await administration.end();
  }
  await waitUntil('it is ready again', async () => (await ask()).statusCode === 200);
});

it('warns of workers that run user code without a jail, as long as they live', async () => {
  const ask = async () => (await api.app.inject({ url: '/readyz' })).json();
  await api.database.pool.query(`INSERT INTO workers (id, sandbox) VALUES ('w1', 'jail'), ('w2', 'jail')`);
  expect(await ask()).toEqual({ status: 'ready', workers: { jail: 2 } });
  await api.database.pool.query(`INSERT INTO workers (id, sandbox) VALUES ('w3', 'process')`);
  expect(await ask()).toEqual({
    status: 'ready',
    workers: { jail: 2, process: 1 },
    warning: expect.stringMatching(/^Runs are not sandboxed on 1 of 3 workers: .*\.$/),
  });
  await api.database.pool.query(`UPDATE workers SET last_seen_at = now() - interval '2 minutes' WHERE id = 'w3'`);
  expect(await ask()).toEqual({ status: 'ready', workers: { jail: 2 } });
});

it('shows Prometheus what there is, by route and not by name', async () => {
  await api.database.pool.query(
    `INSERT INTO inference_log_drops (pipeline_id, reason, records, "rows") VALUES (1, 'overflow', 2, 40), (1, 'gap', 1, 2)`,
  );
  await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'secret-name' });
  const answer = await api.app.inject({ url: '/metrics' });
  expect(answer.headers['content-type']).toContain('text/plain');
  expect(answer.body).toContain('inference_log_dropped_rows_total 42');
  expect(answer.body).toMatch(
    /api_request_duration_seconds_count\{method="POST",route="\/v1\/api\/workspaces\/create",status="200"\} 1/,
  );
  expect(answer.body).not.toContain('secret-name');
});
