import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PgPackagingStore } from '@pademelon/database/sql';
import { DomainError } from '@pademelon/domain';
import { buildZip, waitUntil } from '@pademelon/testing';
import type { EnvironmentProvider } from '@pademelon/workbench';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { OrchestrationPackager } from './orchestration-packager.ts';
import { WorkBell } from './work-bell.ts';
import { openWorkerTestBench, type WorkerTestBench, workbenchOf } from './worker-test-bench.ts';

let bench: WorkerTestBench;
let provider: EnvironmentProvider;
const packagers: OrchestrationPackager[] = [];
beforeAll(async () => {
  bench = await openWorkerTestBench();
  provider = await (await workbenchOf(bench.folder, bench.pool, [])).environments();
});
afterEach(async () => {
  await Promise.all(packagers.splice(0).map((packager) => packager.stop()));
});
afterAll(() => bench.close());

interface PackagerOptions {
  readonly environments?: () => Promise<EnvironmentProvider>;
  readonly fetchZip?: (sha: string) => Promise<string>;
  readonly leaseMs?: number;
}

async function startPackager(options: PackagerOptions = {}): Promise<OrchestrationPackager> {
  const { code, fetchZip, logger } = await workbenchOf(bench.folder, bench.pool, []);
  const packager = new OrchestrationPackager({
    ...{ code, fetchZip, logger, leaseMs: 2_000, lookMs: 100 },
    store: new PgPackagingStore(bench.pool),
    environments: async () => provider,
    bell: new WorkBell(null),
    workerId: 'packager',
    databaseUrl: bench.databaseUrl,
    ...options,
  });
  packagers.push(packager);
  await packager.start();
  return packager;
}

async function upload(files: Readonly<Record<string, string>>): Promise<string> {
  const zip = buildZip(Object.entries(files).map(([name, content]) => ({ name, content })));
  return uploadBytes(zip);
}

async function uploadBytes(zip: Buffer): Promise<string> {
  const sha = createHash('sha256').update(zip).digest('hex');
  writeFileSync(join(bench.folder, `${sha}.zip`), zip);
  const id = randomUUID();
  await bench.pool.query(
    `INSERT INTO orchestrations (id, workspace_id, file_name, sha, size_bytes, status, created_by_id)
     VALUES ($1, 1, 'x.zip', $2, $3, 'pending_packaging', 'ada')`,
    [id, sha, zip.length],
  );
  return id;
}

async function ended(id: string): Promise<Record<string, unknown>> {
  return waitUntil('it is packaged', async () => {
    const { rows } = await bench.pool.query('SELECT * FROM orchestrations WHERE id = $1', [id]);
    return ['ready', 'error'].includes(rows[0].status) ? (rows[0] as Record<string, unknown>) : null;
  });
}

test('an uploaded zip becomes ready, with the place of main.py and a log', async () => {
  await startPackager();
  const id = await upload({ 'deep/main.py': 'print(1)', 'deep/requirements.txt': 'wallaroo==2023.2.0\n' });
  const row = await ended(id);
  expect(row).toMatchObject({
    status: 'ready',
    status_reason: null,
    entry_point: 'deep/main.py',
    environment_hash: 'bare',
  });
  expect(row['build_log']).toContain('main.py is at deep/main.py.');
  expect(row['build_log']).toContain('the platform supplies wallaroo');
});

test.each([
  [
    'requirements that point elsewhere',
    { 'main.py': '', 'requirements.txt': '--index-url http://evil.example/' },
    'options are not allowed',
  ],
  ['no main.py', { 'other.py': '' }, 'main.py'],
])('%s end in error with the reason, which is in the log too', async (_case, files, reason) => {
  await startPackager();
  const row = await ended(await upload(files as Record<string, string>));
  expect(row).toMatchObject({ status: 'error', status_reason: expect.stringContaining(reason) });
  expect(row['build_log']).toContain(reason);
});

test('a zip whose content is not what it promises ends in error', async () => {
  await startPackager();
  const zip = buildZip([{ name: 'main.py', content: 'print(1)', declaredCrc: 1 }]);
  expect(await ended(await uploadBytes(zip))).toMatchObject({ status: 'error' });
});

test('what the builder says is the reason, and no Python is one', async () => {
  await startPackager({
    environments: async () => {
      throw new DomainError('unsupported', 'Orchestrations need Python 3.11, and none was found.');
    },
  });
  const row = await ended(await upload({ 'main.py': 'print(2)' }));
  expect(row).toMatchObject({ status: 'error', status_reason: expect.stringContaining('need Python 3.11') });
});

test('a fault of the platform is tried again, and after three attempts it is said', async () => {
  let asked = 0;
  await startPackager({
    leaseMs: 300,
    fetchZip: async () => {
      asked += 1;
      throw new DomainError('unavailable', 'The API is away.');
    },
  });
  const row = await ended(await upload({ 'main.py': 'print(3)' }));
  expect(asked).toBe(3);
  expect(row).toMatchObject({ status: 'error', attempts: 3 });
  expect(row['status_reason']).toContain('its own log says why');
});

test('the work of a packager that is lost is done by another', async () => {
  const id = await upload({ 'main.py': 'print(4)' });
  const lost = await new PgPackagingStore(bench.pool).claimNext(300);
  expect(lost?.id).toBe(id);
  await startPackager();
  expect(await ended(id)).toMatchObject({ status: 'ready', attempts: 2 });
});

test('the log can be read while it is being packaged, and the lease is kept as long as it takes', async () => {
  const goOn = Promise.withResolvers<void>();
  const slow: EnvironmentProvider = {
    ensure: async (requirements, onLine) => {
      onLine('Resolved 1 package');
      await goOn.promise;
      return provider.ensure(requirements, onLine);
    },
  };
  await startPackager({ environments: async () => slow, leaseMs: 600 });
  await startPackager({ environments: async () => slow, leaseMs: 600 });
  const id = await upload({ 'main.py': 'print(5)' });
  const renewals = new Set<string>();
  await waitUntil('the lease was renewed thrice', async () => {
    const { rows } = await bench.pool.query('SELECT build_log, lease_expires_at FROM orchestrations WHERE id = $1', [
      id,
    ]);
    if (rows[0].build_log.includes('Resolved 1 package')) renewals.add(String(rows[0].lease_expires_at.getTime()));
    return renewals.size >= 3;
  });
  goOn.resolve();
  expect(await ended(id)).toMatchObject({ status: 'ready', attempts: 1 });
});
