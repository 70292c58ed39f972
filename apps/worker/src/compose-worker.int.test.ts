import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@pademelon/runtime';
import { createTestDatabase } from '@pademelon/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startWorker, type WorkerParts } from './compose-worker.ts';
import { readWorkerSettings } from './worker-settings.ts';

/** What a worker is made of that starts on a database of its own, where no bubblewrap is found; and what it warns of. */
async function setup(sandbox: string): Promise<{ parts: WorkerParts; warnings: unknown[] }> {
  const database = await createTestDatabase();
  const home = mkdtempSync(join(tmpdir(), 'pademelon-compose-test-'));
  vi.stubEnv('PATH', '/nonexistent');
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await database.drop();
    await rm(home, { recursive: true, force: true });
  });
  const logger = createLogger('worker-test', 'silent');
  const warnings: unknown[] = [];
  vi.spyOn(logger, 'warn').mockImplementation((first: unknown) => void warnings.push(first));
  const env = { DATABASE_URL: database.url, PADEMELON_HOME: home, PADEMELON_SANDBOX: sandbox, PADEMELON_QUEUE: 'off' };
  const surroundings = {
    findCode: async () => null,
    listConnections: async () => [],
    listHandedOut: async () => [],
    issueToken: async () => null,
  };
  const secretKey = Buffer.alloc(32, 7);
  return {
    parts: { settings: readWorkerSettings(env), pool: database.pool, surroundings, secretKey, logger },
    warnings,
  };
}

test.each([
  ['auto', 'bubblewrap is not installed'],
  ['off', 'PADEMELON_SANDBOX=off'],
])(
  'a worker with the sandbox %s warns at its start that it has none, and why, and tells the platform',
  async (choice, why) => {
    const { parts, warnings } = await setup(choice);
    const stop = await startWorker(parts);
    try {
      expect(warnings).toContainEqual(expect.stringMatching(new RegExp(`^Runs are not sandboxed.*${why}`)));
      const workers = () => parts.pool.query('SELECT sandbox FROM workers').then(({ rows }) => rows);
      await expect.poll(workers).toEqual([{ sandbox: 'process' }]);
    } finally {
      await stop();
    }
  },
);

test('a worker that must have a sandbox does not start without one, and is not registered', async () => {
  const { parts } = await setup('required');
  await expect(startWorker(parts)).rejects.toThrow(/PADEMELON_SANDBOX=required, but there is no sandbox/);
  expect((await parts.pool.query('SELECT id FROM workers')).rows).toEqual([]);
});
