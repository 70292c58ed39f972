import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { createPool, type HostRow, type Pool } from '@pademelon/database/sql';
import { createLogger } from '@pademelon/runtime';
import {
  createTestDatabase,
  insertServingRows,
  type ServingRows,
  type TestDatabase,
  waitUntil,
} from '@pademelon/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InferenceHost, type InferenceHostOptions } from './host.ts';

let database: TestDatabase;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await database.drop();
});

interface PodRowSeen {
  readonly id: string;
  readonly revision: number;
  readonly replica: number;
  readonly host_id: string;
  readonly port: number | null;
  readonly state: string;
  readonly reason: string | null;
  readonly restarts: number;
}

async function podRows(state?: string): Promise<PodRowSeen[]> {
  const { rows } = await database.pool.query<PodRowSeen>('SELECT * FROM pods ORDER BY revision, replica');
  return state === undefined ? rows : rows.filter((row) => row.state === state);
}

/** Waits for this many ready pods and for no other rows. */
function readyPods(count: number): Promise<PodRowSeen[]> {
  return waitUntil(`${count} pods are ready and no other pods are left`, async () => {
    const rows = await podRows();
    return rows.length === count && rows.every((row) => row.state === 'ready') && rows;
  });
}

interface PodAnswer {
  readonly pid: number;
  readonly key: string;
  readonly environment: Record<string, string>;
  readonly spec: Record<string, unknown>;
}

async function ask(pod: PodRowSeen, path = '/'): Promise<PodAnswer> {
  const response = await fetch(`http://127.0.0.1:${pod.port}${path}`);
  return (await response.json()) as PodAnswer;
}

async function startHost(changes: Partial<InferenceHostOptions> = {}): Promise<{ host: InferenceHost; self: HostRow }> {
  const pool: Pool = createPool(database.url, { max: 4 });
  const self = changes.self ?? { id: randomUUID(), address: '127.0.0.1' };
  const host = new InferenceHost({
    self,
    databaseUrl: database.url,
    pool,
    logger: createLogger('test', 'silent'),
    modelFiles: { provide: async (sha) => `/models/${sha}` },
    pythonPrograms: {
      provide: async () => Promise.reject(new Error('no scripts here')),
      forget: async () => undefined,
    },
    podKey: (podId) => `key of ${podId}`,
    podEntry: fileURLToPath(new URL('./fixture-pod.ts', import.meta.url)),
    podExecArgv: ['--conditions=source'],
    podLimits: {
      jsonBodyBytes: 1,
      arrowBodyBytes: 2,
      rows: 3,
      queuedRequests: 4,
      requestDeadlineMs: 1_000,
      runDeadlineMs: 1_000,
    },
    loadDeadlineMs: 5_000,
    logSocketPath: '/nowhere',
    onPodEnd: async () => undefined,
    drainDelayMs: 50,
    ...changes,
  });
  await host.start();
  let isOpen = true;
  closers.push(async () => {
    if (!isOpen) return;
    isOpen = false;
    await host.stop();
    await pool.end();
  });
  return { host, self };
}

async function deployAgain(serving: ServingRows, engineConfig: unknown = {}): Promise<void> {
  await database.pool.query(
    'UPDATE deployments SET revision = revision + 1, is_deployed = true, engine_config = $2 WHERE id = $1',
    [serving.deploymentId, engineConfig],
  );
  await database.pool.query("SELECT pg_notify('pademelon_deployments', '')");
}

test('a deployment gets its replicas, each told what to serve and nothing secret', async () => {
  const engine = { cpu: 2, replicas: 2 };
  const serving = await insertServingRows(database.pool, { engineConfig: { engine } });
  await database.pool.query(
    `INSERT INTO model_configs (model_version_id, runtime, tensor_fields) SELECT id, 'onnx', '["a","b"]' FROM model_versions`,
  );
  await startHost();
  const pods = await readyPods(2);
  const [first, second] = [await ask(pods[0]!), await ask(pods[1]!)];
  expect(first.pid).not.toBe(second.pid);
  expect(first.key).toBe(`key of ${pods[0]!.id}`);
  expect(Object.keys(first.environment).filter((name) => !name.startsWith('NODE_'))).toEqual(['TZ']);
  expect(first.spec).toMatchObject({
    podId: pods[0]!.id,
    deploymentName: serving.deploymentName,
    pipelineName: serving.pipelineName,
    workspaceId: serving.workspaceId,
    models: [
      { name: 'model', version: serving.modelVersion, tensorFields: ['a', 'b'], path: `/models/${'0'.repeat(64)}` },
    ],
    bindAddress: '127.0.0.1',
  });
});

test('a new deployment is noticed at once and its pod is gone after undeploy', async () => {
  await startHost({ lookMs: 60_000 });
  const serving = await insertServingRows(database.pool);
  await database.pool.query("SELECT pg_notify('pademelon_deployments', '')");
  const [pod] = await readyPods(1);
  const { pid } = await ask(pod!);
  await database.pool.query('UPDATE deployments SET is_deployed = false WHERE id = $1', [serving.deploymentId]);
  await database.pool.query("SELECT pg_notify('pademelon_deployments', '')");
  await readyPods(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a killed pod is away from the routes at once and another serves in its place', async () => {
  await insertServingRows(database.pool);
  const ended: unknown[] = [];
  const { host } = await startHost({ onPodEnd: async (pod, logged) => void ended.push([pod.podId, logged]) });
  const [pod] = await readyPods(1);
  const { pid } = await ask(pod!);
  await waitUntil('the pod has told that it is alive', () => host.pods[0]?.logged.records === 7);
  const killedAtMs = performance.now();
  process.kill(pid, 'SIGKILL');
  const [restarted] = await waitUntil('it is ready again', async () => {
    const rows = await podRows('ready');
    return rows[0]?.restarts === 1 && rows;
  });
  expect(performance.now() - killedAtMs).toBeLessThan(3_000);
  expect(restarted!.reason).toBe("The pod's process ended with signal SIGKILL.");
  expect((await ask(restarted!)).pid).not.toBe(pid);
  expect(ended).toEqual([[pod!.id, { records: 7, rows: 70 }]]);
});

test('a pod that keeps crashing ends in error with its reason, tried ever more slowly', async () => {
  await insertServingRows(database.pool, { modelName: 'crash' });
  await startHost();
  const row = await waitUntil('the pod is in error', async () => (await podRows('error'))[0]);
  expect(row).toMatchObject({ reason: "The pod's process ended with status 3.", restarts: 3, port: null });
});

test('what a pod refuses is shown and not tried again', async () => {
  await insertServingRows(database.pool, { modelName: 'refuse' });
  const { host } = await startHost();
  const row = await waitUntil('the pod is in error', async () => (await podRows('error'))[0]);
  expect(row).toMatchObject({ reason: 'The model is not a model.', restarts: 0 });
  expect(host.pods[0]!.pid).toBeUndefined();
});

test('a model that could not be packaged is an error that names it', async () => {
  const serving = await insertServingRows(database.pool, { status: 'error' });
  await startHost();
  const row = await waitUntil('the pod is in error', async () => (await podRows('error'))[0]);
  expect(row.reason).toBe(
    `The model model version ${serving.modelVersion} could not be packaged: its upload log says why`,
  );
});

test('a model that is still being packaged keeps its pods waiting, and they start when it is ready', async () => {
  const serving = await insertServingRows(database.pool, { status: 'attempting_load_native' });
  await startHost();
  const row = await waitUntil('the pod waits', async () => (await podRows('starting')).find(({ reason }) => reason));
  expect(row).toMatchObject({ reason: expect.stringContaining('is still being packaged.'), restarts: 0 });
  await database.pool.query("UPDATE model_versions SET status = 'ready' WHERE version = $1", [serving.modelVersion]);
  await readyPods(1);
});

test('a pod whose model does not end is killed after the deadline, with the reason', async () => {
  await insertServingRows(database.pool);
  await startHost();
  const [pod] = await readyPods(1);
  const startedAtMs = performance.now();
  await expect(ask(pod!, '/block')).rejects.toThrow();
  expect(performance.now() - startedAtMs).toBeLessThan(4_000);
  const row = await waitUntil('it is ready again', async () => (await podRows('ready')).find((r) => r.restarts === 1));
  expect(row.reason).toBe('The model ran longer than the 1 s that one request may take.');
});

test('a model that blocks its loading is stopped and shown as error', async () => {
  await insertServingRows(database.pool, { modelName: 'stuck' });
  await startHost({ loadDeadlineMs: 700 });
  const row = await waitUntil('the pod is in error', async () => (await podRows('error'))[0]);
  expect(row.reason).toBe('The model could not be loaded and run once within 0.7 s.');
});

test('a pod that uses more memory than its limit is killed and started again with the reason', async () => {
  const engine = { resources: { limits: { memory: '250Mi' } } };
  await insertServingRows(database.pool, { engineConfig: { engine } });
  await startHost();
  const [pod] = await readyPods(1);
  await ask(pod!, '/allocate').catch(() => undefined);
  const row = await waitUntil('it is ready again', async () => (await podRows('ready')).find((r) => r.restarts === 1));
  expect(row.reason).toMatch(/^The pod used \d+ MiB of memory, more than its limit of 250 MiB\.$/);
});

test('a new revision takes over once all of it is ready, and only then the old one goes', async () => {
  const serving = await insertServingRows(database.pool);
  await startHost();
  const [old] = await readyPods(1);
  const { pid } = await ask(old!);
  await deployAgain(serving, { engine: { replicas: 2 } });
  // The old pod's row leaves `ready` only when two new ones are there.
  await waitUntil('the old pod is retired', async () => {
    const rows = await podRows();
    const isOldServing = rows.some((row) => row.id === old!.id && row.state === 'ready');
    const newReady = rows.filter((row) => row.revision === 2 && row.state === 'ready').length;
    expect(isOldServing || newReady === 2).toBe(true);
    return !isOldServing;
  });
  expect((await readyPods(2)).map((row) => row.revision)).toEqual([2, 2]);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('a new revision that cannot be loaded leaves the old one serving, its reason visible', async () => {
  const serving = await insertServingRows(database.pool);
  await startHost();
  const [old] = await readyPods(1);
  await database.pool.query(`UPDATE model_versions SET status = 'error'`);
  await deployAgain(serving);
  await waitUntil('the new pod is in error', async () => (await podRows('error'))[0]);
  const { pid } = await ask(old!);
  process.kill(pid, 'SIGKILL');
  const again = await waitUntil('the old revision serves again', async () =>
    (await podRows('ready')).find((row) => row.restarts === 1),
  );
  expect(again).toMatchObject({ id: old!.id, revision: 1 });
});

test('replicas are spread over two hosts, and a dead host’s are taken over', async () => {
  await insertServingRows(database.pool, { engineConfig: { engine: { replicas: 4 } } });
  const dead = randomUUID();
  await database.pool.query("INSERT INTO inference_hosts (id, address) VALUES ($1, '127.0.0.1')", [dead]);
  const { self, host } = await startHost({ lookMs: 100, steadyMs: 200 });
  await waitUntil('half of them are ready here', async () => (await podRows('ready')).length === 2);
  expect((await podRows()).map((row) => row.host_id).sort()).toEqual([dead, dead, self.id, self.id].sort());
  await database.pool.query("UPDATE inference_hosts SET last_seen_at = now() - interval '11 seconds' WHERE id = $1", [
    dead,
  ]);
  await readyPods(4);
  expect(host.pods).toHaveLength(4);
});

test('a host that starts again under its id runs its pods anew', async () => {
  await insertServingRows(database.pool);
  const self = { id: randomUUID(), address: '127.0.0.1' };
  await database.pool.query('INSERT INTO inference_hosts (id, address) VALUES ($1, $2)', [self.id, self.address]);
  await database.pool.query(
    `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, port, state)
     SELECT gen_random_uuid(), id, 1, 0, $1, '127.0.0.1', 1, 'ready' FROM deployments`,
    [self.id],
  );
  await startHost({ self });
  // The row of the life before is there, and ready, until the host has looked.
  const pod = await waitUntil('a pod of this life is ready', async () => {
    const [row] = await readyPods(1);
    return row!.port !== 1 && row;
  });
  expect((await ask(pod)).pid).toBeGreaterThan(1);
});

test('a host that stops ends its pods and leaves no rows', async () => {
  await insertServingRows(database.pool);
  await startHost();
  const [pod] = await readyPods(1);
  const { pid } = await ask(pod!);
  await closers.pop()!();
  expect(await podRows()).toEqual([]);
  expect((await database.pool.query('SELECT FROM inference_hosts')).rowCount).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('pods go on serving while the database refuses connections, and status catches up afterwards', async () => {
  await insertServingRows(database.pool);
  await startHost({ lookMs: 100 });
  const [pod] = await readyPods(1);
  const name = new URL(database.url).pathname.slice(1);
  const admin = createPool(database.url.replace(`///${name}`, '///postgres'));
  closers.push(() => admin.end());
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`);
  await admin.query('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1', [name]);
  const { pid } = await ask(pod!);
  process.kill(pid, 'SIGKILL');
  await admin.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
  // Our own pool may not have noticed yet which of its connections are gone.
  const readyRows = () => podRows('ready').catch(() => []);
  const again = await waitUntil('the row is right again', async () =>
    (await readyRows()).find((row) => row.restarts === 1),
  );
  expect((await ask(again)).pid).not.toBe(pid);
});

test('a pod that is told to end serves until another one does in its place', async () => {
  await insertServingRows(database.pool);
  await startHost({ lookMs: 60_000 });
  const [pod] = await readyPods(1);
  const { pid } = await ask(pod!);
  const watch = watchReadyPods();
  process.kill(pid, 'SIGTERM');
  const successor = await waitUntil('only another pod is left', async () => {
    const rows = await podRows();
    return rows.length === 1 && rows[0]!.id !== pod!.id && rows[0]!.state === 'ready' && rows[0];
  });
  expect((await ask(successor)).pid).not.toBe(pid);
  expect(await watch.stop()).toBeGreaterThanOrEqual(1);
  await waitUntil('the process is gone', () => !isAlive(pid));
});

test('a host that stops hands its pods over before it ends them', async () => {
  const serving = await insertServingRows(database.pool);
  const first = await startHost();
  await readyPods(1);
  await startHost();
  const watch = watchReadyPods();
  await first.host.stop();
  const [successor] = await readyPods(1);
  expect(successor!.host_id).not.toBe(first.self.id);
  expect((await ask(successor!)).spec).toMatchObject({ pipelineName: serving.pipelineName });
  expect(await watch.stop()).toBeGreaterThanOrEqual(1);
});

test('a host whose last look failed hands its pods over all the same', async () => {
  await insertServingRows(database.pool);
  const { host, self } = await startHost({ lookMs: 60_000 });
  await readyPods(1);
  await startHost();
  await database.pool.query('ALTER TABLE inference_hosts RENAME TO hidden');
  await host.look();
  await database.pool.query('ALTER TABLE hidden RENAME TO inference_hosts');
  const watch = watchReadyPods();
  await host.stop();
  expect((await readyPods(1))[0]!.host_id).not.toBe(self.id);
  expect(await watch.stop()).toBeGreaterThanOrEqual(1);
});

test('a pod that was being placed on a host while it began to stop is placed on another', async () => {
  const serving = await insertServingRows(database.pool);
  const leaving = await startHost({ handOverMs: 600_000 });
  await readyPods(1);
  await startHost();
  const placing = await database.pool.connect();
  await placing.query('BEGIN');
  await placing.query(
    `INSERT INTO pods (id, deployment_id, revision, replica, host_id, address, state)
     SELECT $1, id, revision, 1, $2, '127.0.0.1', 'starting' FROM deployments WHERE id = $3`,
    [randomUUID(), leaving.self.id, serving.deploymentId],
  );
  const engine = { replicas: 2 };
  await placing.query('UPDATE deployments SET engine_config = $2 WHERE id = $1', [serving.deploymentId, { engine }]);
  const stopping = leaving.host.stop();
  await waitUntil('the host has said that it stops', async () => {
    const { rowCount } = await database.pool.query('SELECT FROM inference_hosts WHERE is_leaving');
    return rowCount === 1;
  });
  await placing.query('COMMIT');
  placing.release();
  await database.pool.query("SELECT pg_notify('pademelon_deployments', '')");
  await stopping;
  const pods = await readyPods(2);
  expect(pods.map((pod) => pod.host_id)).not.toContain(leaving.self.id);
});

test('a host that stops alone does not wait for others', async () => {
  await insertServingRows(database.pool);
  const { host } = await startHost({ handOverMs: 600_000 });
  await readyPods(1);
  await host.stop();
  expect(await podRows()).toEqual([]);
});

/** Looks at the routes again and again; `stop` gives the least number of pods that were in them. */
function watchReadyPods(): { stop: () => Promise<number> } {
  let least = Number.POSITIVE_INFINITY;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) least = Math.min(least, (await podRows('ready')).length);
  })();
  return {
    stop: async () => {
      isOver = true;
      await watching;
      return least;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
