import { createHash } from 'node:crypto';
import { realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PgModelBuildStore } from '@pademelon/database/sql';
import { DomainError } from '@pademelon/domain';
import { createLogger } from '@pademelon/runtime';
import { type Environment, type EnvironmentProvider, probeSandbox, ScriptFolders } from '@pademelon/workbench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensurePythonEnvironment } from '../../../scripts/python-environment.ts';
import { sdkEnvironments } from '../../../scripts/python-environments.ts';
import { ModelPackager } from './model-packager.ts';
import { openWorkerTestBench, type WorkerTestBench } from './worker-test-bench.ts';

let bench: WorkerTestBench;
let environment: Environment;
beforeAll(async () => {
  bench = await openWorkerTestBench();
  await bench.pool.query(`INSERT INTO models (id, workspace_id, name, owner_id) VALUES (1, 1, 'post', 'ada')`);
  const python = await ensurePythonEnvironment(sdkEnvironments['2026']);
  const path = realpathSync(python);
  const prefix = dirname(dirname(path));
  const interpreter = { path, version: '3.11', folders: prefix === '/usr' ? [] : [prefix] };
  environment = { hash: 'test', folder: dirname(dirname(python)), cacheFolder: null, interpreter };
}, 600_000);
afterAll(() => bench.close());

const asked: string[] = [];
const provider: EnvironmentProvider = {
  ensure: async (requirements, onLine) => {
    asked.push(...requirements.map(({ line }) => line));
    onLine('resolved everything');
    return environment;
  },
};

async function packageAll(environments = async () => provider): Promise<void> {
  const packager = new ModelPackager({
    store: new PgModelBuildStore(bench.pool),
    scripts: new ScriptFolders(join(bench.folder, 'scripts')),
    fetchFile: async (sha) => join(bench.folder, sha),
    sandbox: await probeSandbox(),
    folder: join(bench.folder, 'tries'),
    loadTimeoutMs: 30_000,
    leaseMs: 2_000,
    logger: createLogger('test', 'silent'),
    environments,
  });
  await packager.packageAll(new AbortController().signal);
}

async function upload(code: string, requirements: readonly string[] = []): Promise<number> {
  const sha = createHash('sha256').update(code).digest('hex');
  writeFileSync(join(bench.folder, sha), code);
  const { rows } = await bench.pool.query(
    `WITH version AS (
       INSERT INTO model_versions (model_id, version, sha, file_name, size_bytes, status, conversion, created_by_id)
       VALUES (1, gen_random_uuid(), $1, 'post.py', 1, 'pending_load_native', $2, 'ada') RETURNING id)
     INSERT INTO model_builds (model_version_id) SELECT id FROM version RETURNING model_version_id AS id`,
    [sha, { framework: 'python', requirements }],
  );
  return rows[0].id;
}

async function read(id: number): Promise<{ status: string; error_summary: string | null; build_log: string }> {
  const { rows } = await bench.pool.query(
    `SELECT status, error_summary, build_log FROM model_versions v JOIN model_builds b ON b.model_version_id = v.id
     WHERE v.id = $1`,
    [id],
  );
  return rows[0];
}

const step = 'def process_data(input_data):\n    return input_data\n';

test('a script becomes ready when its environment is there and it was loaded, with a log of both', async () => {
  const id = await upload(`print("at import")\n${step}`, ['scipy==1.13.1', 'wallaroo==1']);
  await packageAll();
  const { status, error_summary, build_log } = await read(id);
  expect({ status, error_summary }).toEqual({ status: 'ready', error_summary: null });
  expect(asked).toEqual(['scipy==1.13.1']);
  for (const line of ['the platform supplies wallaroo', 'resolved everything', 'at import', 'The script was loaded.']) {
    expect(build_log).toContain(line);
  }
});

test.each([
  ['cannot be loaded', `raise ValueError("not today")\n${step}`, 'ValueError: not today (post.py, line 1)'],
  ['has no entry point after all', 'process_data = 3\n', 'post.py defines neither process_data'],
  ['ends while it is loaded', `import os\nos._exit(4)\n${step}`, 'its process ended with status 4.'],
  ['takes too much memory to be loaded', `x = bytearray(3 << 30)\n${step}`, 'MemoryError'],
])('a script that %s is in error, with the reason', async (_, code, reason) => {
  const id = await upload(code);
  await packageAll();
  expect(await read(id)).toMatchObject({ status: 'error', error_summary: expect.stringContaining(reason) });
});

test('what cannot be installed is in error, with the words of the resolver', async () => {
  const id = await upload(step, ['nothing-like-it']);
  await packageAll(async () => ({
    ensure: async (_, onLine) => {
      onLine('no such package');
      throw new DomainError('invalid_input', 'The requirements cannot be installed; the build log says why.');
    },
  }));
  expect(await read(id)).toMatchObject({
    status: 'error',
    error_summary: expect.stringContaining('cannot be installed'),
  });
  expect((await read(id)).build_log).toContain('no such package');
});

test('a fault of the platform is tried again when the lease is over, and ends in error after three times', async () => {
  const id = await upload(step);
  const fail = async (): Promise<EnvironmentProvider> => Promise.reject(new Error('the disk is on fire'));
  for (const status of ['attempting_load_native', 'attempting_load_native', 'error']) {
    await packageAll(fail);
    expect(await read(id)).toMatchObject({ status });
    await bench.pool.query(
      `UPDATE model_builds SET lease_expires_at = now() - interval '1 s' WHERE model_version_id = $1`,
      [id],
    );
  }
  expect((await read(id)).error_summary).not.toContain('fire');
});

test('two packagers never have one script, and one that lost its lease writes nothing', async () => {
  const id = await upload(`${step}# once\n`);
  const store = new PgModelBuildStore(bench.pool);
  const [first, second] = await Promise.all([store.claimNext(60_000), store.claimNext(60_000)]);
  expect([first, second].filter((job) => job !== null)).toHaveLength(1);
  await bench.pool.query(
    `UPDATE model_builds SET lease_expires_at = now() - interval '1 s' WHERE model_version_id = $1`,
    [id],
  );
  const next = await store.claimNext(60_000);
  expect(next).toMatchObject({ id: String(id), isLastAttempt: false });
  const lost = (first ?? second)!;
  expect(await store.renew(lost, 60_000, 'late')).toBe(false);
  expect(await store.finish(lost, { status: 'error', reason: 'late', buildLog: '' })).toBe(false);
  expect(await store.finish(next!, { status: 'ready', reason: null, buildLog: 'done' })).toBe(true);
  expect(await read(id)).toEqual({ status: 'ready', error_summary: null, build_log: 'done' });
});
