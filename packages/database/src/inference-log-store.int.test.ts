import type { BatchQuery, EncodedLogBatch, StoredBatch } from '@pademelon/domain';
import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PgInferenceLogSink } from './inference-log-sink.ts';
import { PgInferenceLogStore } from './inference-log-store.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

const writerId = '00000000-0000-4000-8000-000000000001';
const limit = 1_000;

function batch(firstMs: number, lastMs: number, failureCount: number): EncodedLogBatch {
  return {
    pipelineId: 1,
    rowCount: 3,
    failureCount,
    firstMs,
    lastMs,
    modelNames: ['m'],
    fingerprint: 'f',
    sequences: { pod: [0, 2] },
    bytes: Buffer.alloc(10),
    failedBytes: null,
  };
}

/** What a query means, said once more without any index. */
function pick(batches: readonly StoredBatch[], query: BatchQuery): number[] {
  const picked = batches.filter((stored) => {
    const isRows = query.numbering === 'rows';
    const [first, count] = isRows ? [stored.firstRow, stored.rowCount] : [stored.firstFailure, stored.failureCount];
    return (
      count > 0 &&
      first < query.below &&
      first + count > query.from &&
      (query.startMs === null || stored.lastMs >= query.startMs) &&
      (query.endMs === null || stored.firstMs <= query.endMs)
    );
  });
  const rows = picked.map(({ firstRow }) => firstRow);
  return (query.order === 'asc' ? rows : rows.reverse()).slice(0, query.limit);
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const queries = fc.record({
  pipelineId: fc.constant(1),
  numbering: fc.constantFrom<BatchQuery['numbering']>('rows', 'failures'),
  order: fc.constantFrom<BatchQuery['order']>('asc', 'desc'),
  from: fc.nat(200),
  below: fc.oneof(fc.nat(200), fc.constant(Number.MAX_SAFE_INTEGER)),
  startMs: optional(fc.nat(3_000)),
  endMs: optional(fc.nat(3_000)),
  modelName: fc.constant(null),
  limit: fc.integer({ min: 1, max: 60 }),
});

test('a window finds its batches, however late some of them were written', async () => {
  const sink = new PgInferenceLogSink(database.pool);
  for (let i = 0; i < 60; i++) {
    // Mostly in order; every seventh waited for the database, and one pod's clock goes fast.
    const firstMs = 1_000 + i * 20 - (i % 7 === 3 ? 600 : 0) + (i % 11 === 5 ? 300 : 0);
    await sink.writeBatch(batch(firstMs, firstMs + ((i * 13) % 90), i % 3), { writerId, number: i + 1 });
  }
  const store = new PgInferenceLogStore(database.pool);
  const whole = { pipelineId: 1, numbering: 'rows', order: 'asc', from: 0, modelName: null, limit } as const;
  const all = await store.listBatches({ ...whole, below: Number.MAX_SAFE_INTEGER, startMs: null, endMs: null });
  expect(all).toHaveLength(60);
  await fc.assert(
    fc.asyncProperty(queries, async (query) => {
      const listed = await store.listBatches(query);
      expect(listed.map(({ firstRow }) => firstRow)).toEqual(pick(all, query));
    }),
    { numRuns: 400 },
  );
});

test('failures are read from the failed rows alone where these are stored by themselves', async () => {
  const sink = new PgInferenceLogSink(database.pool);
  const failedBytes = Buffer.alloc(4, 1);
  await sink.writeBatch({ ...batch(0, 10, 1), failedBytes }, { writerId, number: 1 });
  await sink.writeBatch(batch(20, 30, 1), { writerId, number: 2 });
  const store = new PgInferenceLogStore(database.pool);
  const read = async (numbering: BatchQuery['numbering']) => {
    const window = { from: 0, below: Number.MAX_SAFE_INTEGER, startMs: null, endMs: null, modelName: null, limit };
    const batches = await store.listBatches({ pipelineId: 1, numbering, order: 'asc', ...window });
    return [batches.map(({ sizeBytes }) => sizeBytes), await store.readBatches(batches, numbering)];
  };
  const whole = Buffer.alloc(10);
  expect(await read('rows')).toEqual([
    [14, 10],
    [whole, whole],
  ]);
  expect(await read('failures')).toEqual([
    [4, 10],
    [failedBytes, whole],
  ]);
});

test('a window in the middle of a day of 100,000 batches looks at no more than those about it', async () => {
  const sink = new PgInferenceLogSink(database.pool);
  await sink.writeBatch(batch(0, 10, 0), { writerId, number: 1 });
  const client = await database.pool.connect();
  try {
    await client.query(
      `INSERT INTO inference_log SELECT day, 1, n * 3, 3, 0, 0, n * 20, n * 20 + 10, 10, '{m}', 'f', '{}', '\\x00', n * 20 + 10
         FROM inference_log_days, generate_series(1, 100000) AS n`,
    );
    await client.query('UPDATE inference_log_days SET rows = 300003, last_ms = 2000010');
    await client.query('ANALYZE inference_log');
    await client.query('BEGIN');
    const store = new PgInferenceLogStore(client as unknown as TestDatabase['pool']);
    const window = {
      pipelineId: 1,
      numbering: 'rows',
      from: 0,
      below: Number.MAX_SAFE_INTEGER,
      modelName: null,
    } as const;
    for (const order of ['asc', 'desc'] as const) {
      const found = await store.listBatches({ ...window, order, startMs: 1_000_000, endMs: 1_001_000, limit });
      expect(found).toHaveLength(51);
    }
    const { rows } = await client.query(
      `SELECT sum(seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables WHERE relname ~ '^inference_log_[0-9]+$'`,
    );
    expect(rows[0].read).toBeLessThan(1_000);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
});
