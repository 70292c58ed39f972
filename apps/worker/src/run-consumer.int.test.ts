import { setTimeout as delay } from 'node:timers/promises';
import { channels } from '@pademelon/contracts';
import type { ClaimedRun } from '@pademelon/domain';
import { openDoorbellQueue } from '@pademelon/queue';
import { createLogger } from '@pademelon/runtime';
import { waitUntil } from '@pademelon/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RunConsumer, type RunConsumerOptions } from './run-consumer.ts';
import { WorkBell } from './work-bell.ts';
import { openWorkerTestBench, type WorkerTestBench } from './worker-test-bench.ts';

let bench: WorkerTestBench;
const open: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  bench = await openWorkerTestBench();
});
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.stop();
  await bench.pool.query('DELETE FROM tasks');
});
afterAll(() => bench.close());

/** An executor whose runs end when the test says so. */
class HeldRuns {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();
  cancelsChecked = 0;
  get runningCount(): number {
    return this.#ends.size;
  }
  async execute(run: ClaimedRun): Promise<void> {
    this.started.push(run.runId);
    await new Promise<void>((resolve) => this.#ends.set(run.runId, resolve));
    await bench.store.finish(run.lease, { reason: 'completed', text: 'done', exitCode: 0 });
  }
  end(runId: string): void {
    this.#ends.get(runId)?.();
    this.#ends.delete(runId);
  }
  async checkCancels(): Promise<void> {
    this.cancelsChecked += 1;
  }
  stopAll(): void {
    for (const runId of [...this.#ends.keys()]) this.end(runId);
  }
}

async function startConsumer(
  options: Partial<Pick<RunConsumerOptions, 'concurrency' | 'lookMs' | 'bell' | 'store'>> = {},
) {
  const executor = new HeldRuns();
  const { bell = new WorkBell(null), concurrency = 2, lookMs = 100, store = bench.store } = options;
  const consumer = new RunConsumer({
    ...{ store, pool: bench.pool, databaseUrl: bench.databaseUrl, executor, bell, concurrency, lookMs },
    ...{ workerId: 'consumer', leaseMs: 30_000, logger: createLogger('worker-test', 'silent') },
  });
  await consumer.start();
  open.push({ stop: () => consumer.stop(0) });
  return { consumer, executor };
}

const addRun = (): Promise<string> => bench.addRun({ code: '' });

test('runs are found by looking where there is neither a queue nor a notification', async () => {
  const { executor } = await startConsumer();
  const id = await addRun();
  await waitUntil('it is started', () => executor.started.includes(id), 5_000);
});

test('a notification is heard at once, long before the next look', async () => {
  const { executor } = await startConsumer({ lookMs: 60_000 });
  const id = await addRun();
  await bench.pool.query('SELECT pg_notify($1, $2)', [channels.runs, '']);
  await waitUntil('it is started', () => executor.started.includes(id), 3_000);
  expect(executor.cancelsChecked).toBeGreaterThan(0);
});

test('a ring is heard at once too', async () => {
  const options = { redisUrl: undefined, databaseUrl: bench.databaseUrl, onError: () => undefined };
  const bell = new WorkBell(options);
  const queue = openDoorbellQueue(options);
  open.push({ stop: () => queue.close() }, { stop: () => bell.close() });
  const { executor } = await startConsumer({ lookMs: 60_000, bell });
  bell.wake();
  const id = await addRun();
  await queue.ring('run', id);
  await waitUntil('it is started', () => executor.started.includes(id), 10_000);
});

test('no more runs go on at once than there are places, and a free place is taken at once', async () => {
  const { executor } = await startConsumer({ concurrency: 2, lookMs: 60_000 });
  const ids = [await addRun(), await addRun(), await addRun()];
  await bench.pool.query('SELECT pg_notify($1, $2)', [channels.runs, '']);
  await waitUntil('two are started', () => executor.started.length === 2);
  await delay(200);
  expect(executor.started).toHaveLength(2);
  executor.end(executor.started[0] as string);
  await waitUntil('the third is started', () => executor.started.length === 3, 3_000);
  expect(new Set(executor.started)).toEqual(new Set(ids));
});

test('nor when many are heard of at the same moment', async () => {
  const rings: ((id: string) => Promise<void>)[] = [];
  const bell = new WorkBell(null);
  bell.answer = (_kind, _concurrency, handler) => void rings.push(handler);
  const { executor } = await startConsumer({ concurrency: 2, lookMs: 60_000, bell });
  const ids = await Promise.all(Array.from({ length: 6 }, addRun));
  await Promise.all(ids.map((id) => rings[0]?.(id)));
  await waitUntil('both places are taken', () => executor.started.length >= 2, 5_000);
  expect(executor.started).toHaveLength(2);
});

test('a claim whose answer was lost with the connection is carried out', async () => {
  let losses = 0;
  const store: RunConsumerOptions['store'] = {
    listClaimable: (limit) => bench.store.listClaimable(limit),
    claim: async (...question) => {
      const run = await bench.store.claim(...question);
      losses += 1;
      if (losses <= 2) throw new Error('Connection terminated unexpectedly');
      return run;
    },
  };
  const { executor } = await startConsumer({ store });
  const id = await addRun();
  await waitUntil('it is started', () => executor.started.includes(id), 5_000);
});

test('a consumer that stops claims no more, and lets what runs go on for the time it is given', async () => {
  const { consumer, executor } = await startConsumer({ concurrency: 5 });
  const id = await addRun();
  await waitUntil('it is started', () => executor.started.includes(id));
  const stopped = consumer.stop(300);
  const late = await addRun();
  const stoppingAt = performance.now();
  await stopped;
  expect(performance.now() - stoppingAt).toBeGreaterThan(200);
  expect(executor.started).toEqual([id]);
  expect(await bench.store.listClaimable(10)).toEqual([late]);
});
