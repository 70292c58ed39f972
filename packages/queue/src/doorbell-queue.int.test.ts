import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '@pademelon/runtime/ports';
import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type DoorbellQueue, openDoorbellQueue } from './doorbell-queue.ts';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis && process.env['CI']) throw new Error('CI needs redis-server; .ci/run installs it.');

let database: TestDatabase;
let redis: ChildProcess | null = null;
let redisUrl = '';

beforeAll(async () => {
  database = await createTestDatabase();
  if (!hasRedis) return;
  const port = await findFreePort();
  redisUrl = `redis://127.0.0.1:${port}`;
  redis = await startRedis(port);
});

afterAll(async () => {
  if (redis !== null) await kill(redis);
  await database.drop();
});

async function startRedis(port: number): Promise<ChildProcess> {
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  await vi.waitFor(() => {
    const probe = spawnSync('redis-cli', ['-p', String(port), 'ping'], { encoding: 'utf8' });
    expect(probe.stdout).toContain('PONG');
  }, 10_000);
  return server;
}

async function kill(server: ChildProcess): Promise<void> {
  server.kill('SIGKILL');
  await once(server, 'exit');
}

const backends = [
  { name: 'PostgreSQL', isThere: true, url: () => undefined },
  { name: 'Redis', isThere: hasRedis, url: () => redisUrl },
];

// The conformance suite of the port: both backends pass the same tests.
describe.each(backends)('the doorbell on $name', ({ isThere, url }) => {
  const open: DoorbellQueue[] = [];
  const start = (): DoorbellQueue => {
    const queue = openDoorbellQueue({ redisUrl: url(), databaseUrl: database.url, onError: () => undefined });
    open.push(queue);
    return queue;
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((queue) => queue.close()));
  });

  test.runIf(isThere)('each ring is heard once by one of the listeners, kinds apart', async () => {
    const bell = start();
    const heard: string[] = [];
    const others: string[] = [];
    for (const listener of [start(), start()]) {
      await listener.listen('run', 4, async (id) => void heard.push(id));
      await listener.listen('orchestration', 1, async (id) => void others.push(id));
    }
    const ids = Array.from({ length: 100 }, (_, index) => `run-${index}`);
    await Promise.all(ids.map((id) => bell.ring('run', id)));
    await bell.ring('orchestration', 'zip');
    await vi.waitFor(() => expect(heard).toHaveLength(100), 10_000);
    await vi.waitFor(() => expect(others).toEqual(['zip']), 10_000);
    expect(new Set(heard)).toEqual(new Set(ids));
  });

  test.runIf(isThere)('the same id rings again after it was heard, and while it is being heard', async () => {
    const bell = start();
    const heard: string[] = [];
    await start().listen('run', 4, async (id) => void heard.push(id));
    await bell.ring('run', 'again');
    await bell.ring('run', 'again');
    await vi.waitFor(() => expect(heard).toEqual(['again', 'again']), 10_000);
    await bell.ring('run', 'again');
    await vi.waitFor(() => expect(heard).toHaveLength(3), 10_000);
  });

  test.runIf(isThere)('a ring before anybody listens is heard later', async () => {
    const bell = start();
    await bell.ring('run', 'early');
    const heard: string[] = [];
    await start().listen('run', 1, async (id) => void heard.push(id));
    await vi.waitFor(() => expect(heard).toEqual(['early']), 10_000);
  });

  test.runIf(isThere)('a handler that fails does not stop the next ring, and is not called again', async () => {
    const bell = start();
    const heard: string[] = [];
    await start().listen('run', 1, async (id) => {
      heard.push(id);
      if (id === 'bad') throw new Error('not now');
    });
    await bell.ring('run', 'bad');
    await bell.ring('run', 'good');
    await vi.waitFor(() => expect(heard).toEqual(['bad', 'good']), 10_000);
  });
});

/** Rings until it is heard: a ring while connections are made anew may be lost. */
async function ringUntilHeard(bell: DoorbellQueue, heard: readonly string[], id: string): Promise<void> {
  await vi.waitFor(
    async () => {
      await bell.ring('run', id);
      expect(heard).toContain(id);
    },
    { timeout: 25_000, interval: 200 },
  );
}

/** Versions 6.0 to 6.1 of BullMQ never listened again after more than six seconds (taskforcesh/bullmq#4585). */
test.runIf(hasRedis)('listeners hear again when Redis was away for long', { timeout: 60_000 }, async () => {
  const port = await findFreePort();
  let server = await startRedis(port);
  const settings = { redisUrl: `redis://127.0.0.1:${port}`, databaseUrl: database.url, onError: () => undefined };
  const [bell, listener] = [openDoorbellQueue(settings), openDoorbellQueue(settings)];
  try {
    const heard: string[] = [];
    await listener.listen('run', 1, async (id) => void heard.push(id));
    await ringUntilHeard(bell, heard, 'before');
    await kill(server);
    await delay(8_000);
    server = await startRedis(port);
    await ringUntilHeard(bell, heard, 'after');
  } finally {
    await bell.close();
    await listener.close();
    await kill(server);
  }
});

test('listeners hear again when PostgreSQL has closed all connections of the queue', async () => {
  const settings = { redisUrl: undefined, databaseUrl: database.url, onError: () => undefined };
  const [bell, listener] = [openDoorbellQueue(settings), openDoorbellQueue(settings)];
  try {
    const heard: string[] = [];
    await listener.listen('run', 1, async (id) => void heard.push(id));
    await ringUntilHeard(bell, heard, 'before');
    const { rowCount } = await database.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name <> 'pademelon'`,
    );
    expect(rowCount).toBeGreaterThan(1);
    await ringUntilHeard(bell, heard, 'after');
  } finally {
    await bell.close();
    await listener.close();
  }
});

test('a ring while the queue is away is told and does not throw', async () => {
  const errors: unknown[] = [];
  const queue = openDoorbellQueue({
    redisUrl: `redis://127.0.0.1:${await findFreePort()}`,
    databaseUrl: database.url,
    onError: (error) => errors.push(error),
  });
  await queue.ring('run', 'lost');
  expect(errors.length).toBeGreaterThan(0);
  await queue.close();
});
