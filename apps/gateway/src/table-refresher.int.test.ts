import type { PodState } from '@pademelon/contracts';
import { createPool, loadAccess, loadPublicKeys, loadRoutes, updatePod } from '@pademelon/database/sql';
import { DeadlineWatch } from '@pademelon/http1';
import { createTestDatabase, insertServingRows, type TestDatabase, waitUntil } from '@pademelon/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AccessTable } from './access-table.ts';
import { testLimits } from './gateway-test-bench.ts';
import { RouteTable } from './route-table.ts';
import { TableRefresher } from './table-refresher.ts';

let database: TestDatabase;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await database.drop();
});

async function setup(intervalMs: number) {
  const serving = await insertServingRows(database.pool);
  const pool = createPool(database.url, { max: 2 });
  const watch = new DeadlineWatch();
  const access = new AccessTable();
  const routes = new RouteTable({ watch, limits: testLimits, podKey: (podId) => podId });
  const events: string[] = [];
  const refresher = new TableRefresher({
    databaseUrl: database.url,
    refreshRoutes: async () => routes.replace(await loadRoutes(pool)),
    refreshAccess: async () => access.replace(await loadAccess(pool)),
    onOutage: () => events.push('out'),
    onRecovery: () => events.push('back'),
    intervalMs,
  });
  await refresher.start();
  closers.push(async () => {
    await refresher.stop();
    watch.stop();
    await pool.end();
  });
  const route = () => routes.find(`${serving.deploymentName}/${serving.pipelineName}`);
  return { serving, access, route, events };
}

const noTimer = 60 * 60 * 1_000;

test('tables are filled at the start', async () => {
  const { serving, access, route } = await setup(noTimer);
  expect(access.firstUserId).toBe(serving.userId);
  expect(access.isActive(serving.userId, 1)).toBe(true);
  expect(access.isMember(serving.userId, serving.workspaceId)).toBe(true);
  expect(access.isMember(serving.userId, serving.workspaceId + 1)).toBe(false);
  expect(route()?.pods).toEqual([]);
  expect(await loadPublicKeys(database.pool)).toEqual([]);
});

test('a ready pod is known when the host tells of it', async () => {
  const { serving, route } = await setup(noTimer);
  await database.pool.query("INSERT INTO inference_hosts (id, address) VALUES ('h', '10.0.0.1')");
  await database.pool.query(
    `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, port, state)
     VALUES (gen_random_uuid(), $1, 1, 0, 'h', '10.0.0.1', 4711, 'ready')`,
    [serving.deploymentId],
  );
  await database.pool.query("SELECT pg_notify('pademelon_routes', '')");
  await waitUntil('the pod is a route', () => route()?.pods.length === 1);
});

test('a deployment has failed once no pod serves or starts and one of the newest deploy is in error', async () => {
  const { serving, route } = await setup(noTimer);
  await database.pool.query("INSERT INTO inference_hosts (id, address) VALUES ('h', '10.0.0.1')");
  const addPod = async (revision: number, replica: number): Promise<string> => {
    const { rows } = await database.pool.query(
      `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, state)
       VALUES (gen_random_uuid(), $1, $2, $3, 'h', '10.0.0.1', 'starting') RETURNING id`,
      [serving.deploymentId, revision, replica],
    );
    return rows[0].id;
  };
  // As hosts write it; the gateway hears of it by the notification alone.
  const report = (podId: string, state: PodState, reason: string | null) =>
    updatePod(database.pool, podId, {
      ...{ state, reason, restarts: 1, isLeaving: false },
      port: state === 'ready' ? 4711 : null,
    });
  const untilTold = (word: string, reason = '') =>
    waitUntil(`${word} ${reason}`, () => {
      const [told, sentence] = route()!.explainAbsence();
      return told === word && sentence.endsWith(reason);
    });
  const [first, second] = [await addPod(1, 0), await addPod(1, 1)];
  await report(first, 'error', 'Too large.');
  await report(second, 'starting', 'It ended with status 3.');
  expect(await loadRoutes(database.pool)).toMatchObject([{ failures: [], pods: [] }]);
  await report(second, 'error', 'Too large.');
  await untilTold('deployment_failed', 'The reason: Too large.');
  await report(second, 'error', 'It ended with status 3.');
  await untilTold('deployment_failed', 'The reason: It ended with status 3. Too large.');
  await report(second, 'ready', 'It ended with status 3.');
  await waitUntil('it serves', () => route()!.pods.length === 1);
  await report(second, 'starting', 'It ended with status 3.');
  await waitUntil('it starts again', () => route()!.pods.length === 0);
  expect(route()!.explainAbsence()[0]).toBe('not_ready');
  await report(second, 'error', 'It ended with status 3.');
  await untilTold('deployment_failed');
  await database.pool.query('UPDATE deployments SET revision = 2');
  await database.pool.query("SELECT pg_notify('pademelon_deployments', '')");
  await untilTold('not_ready');
});

test.each([
  ['told', noTimer, true],
  ['not told', 50, false],
])('a revoked membership and a disabled user count, %s', async (_, intervalMs, isTold) => {
  const { serving, access } = await setup(intervalMs);
  const tell = async () => {
    if (isTold) await database.pool.query("SELECT pg_notify('pademelon_access', '')");
  };
  await database.pool.query('DELETE FROM workspace_members');
  await tell();
  await waitUntil('the membership is gone', () => !access.isMember(serving.userId, serving.workspaceId));
  await database.pool.query("UPDATE users SET tokens_valid_after = '1970-01-01 00:00:05Z'");
  await tell();
  await waitUntil('older tokens are refused', () => !access.isActive(serving.userId, 4_999));
  expect(access.isActive(serving.userId, 5_000)).toBe(true);
  await database.pool.query('UPDATE users SET is_enabled = false');
  await tell();
  await waitUntil('the user is out', () => !access.isActive(serving.userId, 5_000));
});

test('while the database is away the tables stay, and afterwards they follow again', async () => {
  const { serving, access, route, events } = await setup(50);
  const name = new URL(database.url).pathname.slice(1);
  const admin = createPool(database.url.replace(`///${name}`, '///postgres'));
  closers.push(() => admin.end());
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [name]);
  await waitUntil('the outage is noticed', () => events.includes('out'));
  expect(route()).not.toBeNull();
  expect(access.isMember(serving.userId, serving.workspaceId)).toBe(true);
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  await waitUntil('it is back', () => events.includes('back'));
  await database.pool.query('UPDATE deployments SET is_deployed = false');
  await waitUntil('the route is gone', () => route() === null);
});
