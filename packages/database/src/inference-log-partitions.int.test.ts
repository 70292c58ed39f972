import type { EncodedLogBatch } from '@pademelon/domain';
import { createTestDatabase, type TestDatabase } from '@pademelon/testing';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { dropExpiredLogDays, ensureLogPartitions, partitionName } from './inference-log-partitions.ts';
import { pruneLongLogs } from './inference-log-pruning.ts';
import { PgInferenceLogSink } from './inference-log-sink.ts';
import { PgInferenceLogStore } from './inference-log-store.ts';
import { LogRetentionSweep } from './log-retention-sweep.ts';
import type { Pool } from './pool.ts';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});

afterEach(() => database.drop());

function batch(pipelineId: number, rowCount: number, failureCount = 0): EncodedLogBatch {
  return {
    pipelineId,
    rowCount,
    failureCount,
    firstMs: 1_000,
    lastMs: 2_000,
    modelNames: ['m'],
    fingerprint: 'f',
    sequences: { pod: [0, rowCount - 1] },
    bytes: Buffer.alloc(1_000, rowCount),
    failedBytes: null,
  };
}

const writer = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

const everything = {
  numbering: 'rows',
  order: 'asc',
  from: 0,
  below: Number.MAX_SAFE_INTEGER,
  startMs: null,
  endMs: null,
  modelName: null,
  limit: 1_000,
} as const;

/** Makes the past days, as if they had been written on, and logs on each. */
async function logOnPastDays(days: number[]): Promise<void> {
  await ensureLogPartitions(database.pool);
  for (const age of days) {
    const { rows } = await database.pool.query(
      `SELECT (utc - $1::int)::text AS day, (utc - $1::int + 1)::text AS next, to_char(utc - $1::int, 'YYYYMMDD') AS suffix
         FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS utc) AS today`,
      [age],
    );
    const { day, next, suffix } = rows[0];
    await database.pool.query(
      `CREATE TABLE inference_log_${suffix} PARTITION OF inference_log FOR VALUES FROM ('${day}') TO ('${next}')`,
    );
    await database.pool.query(
      `INSERT INTO inference_log VALUES ($1, 1, $2, 10, 0, 0, 0, 0, 1000, '{m}', 'f', '{}', '\\x00', 0)`,
      [day, 1_000 - age * 10],
    );
    await database.pool.query(`INSERT INTO inference_log_days VALUES (1, $1, $2, 10, 0, 0, 0, 0, 1000)`, [
      day,
      1_000 - age * 10,
    ]);
  }
}

async function partitionCount(): Promise<number> {
  const { rows } = await database.pool.query(
    `SELECT count(*)::int AS count FROM pg_inherits WHERE inhparent = 'inference_log'::regclass`,
  );
  return rows[0].count;
}

test('several processes at once make each partition once', async () => {
  const made = await Promise.all(Array.from({ length: 8 }, () => ensureLogPartitions(database.pool)));
  expect(made.flat()).toHaveLength(3);
  expect(new Set(made.flat()).size).toBe(3);
  expect(await partitionCount()).toBe(3);
});

test('batches of many writers at once are numbered without a gap or an overlap', async () => {
  const sinks = Array.from({ length: 6 }, () => new PgInferenceLogSink(database.pool));
  await Promise.all(
    sinks.map(async (sink, number) => {
      for (let i = 1; i <= 10; i++) await sink.writeBatch(batch(1, i, i % 3), { writerId: writer(number), number: i });
    }),
  );
  const store = new PgInferenceLogStore(database.pool);
  const batches = await store.listBatches({ ...everything, pipelineId: 1 });
  expect(batches).toHaveLength(60);
  let [row, failure] = [0, 0];
  for (const stored of batches) {
    expect([stored.firstRow, stored.firstFailure]).toEqual([row, failure]);
    row += stored.rowCount;
    failure += stored.failureCount;
  }
  expect(await store.findSpan(1, 'rows')).toEqual({ start: 0, end: 330 });
  expect(await store.findSpan(1, 'failures')).toEqual({ start: 0, end: failure });
});

test('a write that is tried again counts once', async () => {
  const sink = new PgInferenceLogSink(database.pool);
  const key = { writerId: writer(1), number: 1 };
  await sink.writeBatch(batch(1, 5), key);
  await sink.writeBatch(batch(1, 5), key);
  const drops = [{ pipelineId: 1, reason: 'lost', records: 2, rows: 3 }] as const;
  await sink.writeDrops(drops, { ...key, number: 2 });
  await sink.writeDrops(drops, { ...key, number: 2 });
  expect(await new PgInferenceLogStore(database.pool).findSpan(1, 'rows')).toEqual({ start: 0, end: 5 });
  const { rows } = await database.pool.query('SELECT sum(rows)::int AS rows FROM inference_log_drops');
  expect(rows[0].rows).toBe(3);
});

test('a partition that is missing is made at the next try', async () => {
  const sink = new PgInferenceLogSink(database.pool);
  await sink.writeBatch(batch(1, 1), { writerId: writer(1), number: 1 });
  const { rows } = await database.pool.query(`SELECT inhrelid::regclass::text AS name FROM pg_inherits
    WHERE inhparent = 'inference_log'::regclass`);
  for (const { name } of rows) await database.pool.query(`DROP TABLE ${name}`);
  const key = { writerId: writer(1), number: 2 };
  await expect(sink.writeBatch(batch(1, 2), key)).rejects.toMatchObject({ word: 'unavailable' });
  await sink.writeBatch(batch(1, 2), key);
  expect(await new PgInferenceLogStore(database.pool).findSpan(1, 'rows')).toMatchObject({ end: 3 });
});

test('retention drops the days beyond its age and keeps the others', async () => {
  await logOnPastDays([1, 2, 3, 40]);
  const dropped = await dropExpiredLogDays(database.pool, { days: 2, totalBytes: null });
  expect(dropped).toHaveLength(2);
  const { rows } = await database.pool.query('SELECT first_row::int AS row FROM inference_log ORDER BY 1');
  expect(rows.map(({ row }) => row)).toEqual([980, 990]);
  expect(await partitionCount()).toBe(5);
  expect(await dropExpiredLogDays(database.pool, { days: 2, totalBytes: null })).toEqual([]);
});

test('retention drops the oldest days beyond its bytes, but never today', async () => {
  await logOnPastDays([1, 2, 3]);
  await new PgInferenceLogSink(database.pool).writeBatch(batch(1, 7), { writerId: writer(1), number: 1 });
  expect(await dropExpiredLogDays(database.pool, { days: 30, totalBytes: 3_000 })).toHaveLength(1);
  expect(await dropExpiredLogDays(database.pool, { days: 30, totalBytes: 1 })).toHaveLength(2);
  const { rows } = await database.pool.query('SELECT row_count FROM inference_log');
  expect(rows).toEqual([{ row_count: 7 }]);
});

test('a pipeline that logs too much loses its oldest batches, within today as well, and no other does', async () => {
  await logOnPastDays([1]);
  const sink = new PgInferenceLogSink(database.pool);
  for (let i = 1; i <= 20; i++) await sink.writeBatch(batch(2, 3, i % 2), { writerId: writer(1), number: i });
  expect(await pruneLongLogs(database.pool, 10_000)).toEqual([2]);
  const store = new PgInferenceLogStore(database.pool);
  // Nine batches of 1,000 bytes are nine tenths of what it may have.
  expect(await store.findSpan(2, 'rows')).toEqual({ start: 33, end: 60 });
  expect(await store.findSpan(2, 'failures')).toEqual({ start: 6, end: 10 });
  expect((await store.listBatches({ ...everything, pipelineId: 2 })).map(({ firstRow }) => firstRow)).toEqual([
    33, 36, 39, 42, 45, 48, 51, 54, 57,
  ]);
  expect(await store.listBatches({ ...everything, pipelineId: 1 })).toHaveLength(1);
  expect(await pruneLongLogs(database.pool, 10_000)).toEqual([]);
  await sink.writeBatch(batch(2, 3), { writerId: writer(1), number: 21 });
  expect(await store.findSpan(2, 'rows')).toEqual({ start: 33, end: 63 });
  await pruneLongLogs(database.pool, 1);
  expect(await store.findSpan(2, 'rows')).toEqual({ start: 63, end: 63 });
  await sink.writeBatch(batch(2, 3), { writerId: writer(1), number: 22 });
  expect(await store.findSpan(2, 'rows')).toEqual({ start: 63, end: 66 });
});

test('failed rows that are stored by themselves count among the bytes of their batch', async () => {
  const sink = new PgInferenceLogSink(database.pool);
  for (let i = 1; i <= 20; i++) {
    const failedBytes = i % 2 === 0 ? Buffer.alloc(400) : null;
    await sink.writeBatch({ ...batch(2, 3, 1), failedBytes }, { writerId: writer(1), number: i });
  }
  const { rows } = await database.pool.query(
    'SELECT (SELECT size_bytes::int FROM inference_log_days), (SELECT sum(size_bytes)::int AS batches FROM inference_log)',
  );
  expect(rows).toEqual([{ size_bytes: 24_000, batches: 24_000 }]);
  expect(await pruneLongLogs(database.pool, 24_000)).toEqual([]);
  expect(await pruneLongLogs(database.pool, 12_000)).toEqual([2]);
  // Eight batches of 1,200 bytes, one with the other, fit into nine tenths of what it may have.
  expect(await new PgInferenceLogStore(database.pool).findSpan(2, 'rows')).toEqual({ start: 36, end: 60 });
});

test('the sweep drops what has expired as soon as it starts, and says so', async () => {
  await logOnPastDays([5]);
  const dropped = await new Promise<readonly string[]>((resolve, reject) => {
    const retention = { days: 2, totalBytes: null };
    const sweep = new LogRetentionSweep({
      pool: database.pool,
      retention,
      pipelineBytes: 1e9,
      onDropped: resolve,
      onPruned: reject,
      onProblem: reject,
    });
    sweep.start();
    onTestFinished(() => sweep.stop());
  });
  expect(dropped).toHaveLength(1);
  expect(await partitionCount()).toBe(3);
});

test('a page asks only the partitions of the days that it needs', async () => {
  await logOnPastDays([1, 2, 3]);
  const client = await database.pool.connect();
  try {
    await client.query('BEGIN');
    const before = await scansByPartition(client);
    const store = new PgInferenceLogStore(client as unknown as Pool);
    const newest = await store.listBatches({ ...everything, pipelineId: 1, order: 'desc', limit: 1 });
    expect(newest.map(({ firstRow }) => firstRow)).toEqual([990]);
    await store.readBatches(newest, 'rows');
    const after = await scansByPartition(client);
    const touched = [...after].filter(([name, scans]) => scans > (before.get(name) ?? 0)).map(([name]) => name);
    expect(touched).toEqual([partitionName(newest[0]!.day)]);
    await client.query('COMMIT');
  } finally {
    client.release();
  }
});

/** Scans by this connection which it has not yet reported, those of earlier transactions included. */
async function scansByPartition(client: Pick<Pool, 'query'>): Promise<Map<string, number>> {
  const { rows } = await client.query<{ relname: string; scans: string }>(
    `SELECT relname, seq_scan + idx_scan AS scans FROM pg_stat_xact_user_tables WHERE relname ~ '^inference_log_[0-9]+$'`,
  );
  return new Map(rows.map(({ relname, scans }) => [relname, Number(scans)]));
}
