import type { LogRecord } from '@pademelon/inference-log';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogTestBench, type LogTestBench, numberedRows } from './log-test-bench.ts';

let bench: LogTestBench;
let otherPipelineId: number;
const startMs = 1_700_000_000_000;
const checks = ['too-dear', 'too-cheap'];

/** A stored batch: some records, of which every row with a number divisible by `every` failed a check or two. */
interface PlannedBatch {
  readonly isOther: boolean;
  readonly sizes: readonly number[];
  readonly every: number;
  readonly lateMs: number;
}

const plans: fc.Arbitrary<PlannedBatch> = fc.record({
  isOther: fc.boolean(),
  sizes: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
  every: fc.constantFrom(1, 2, 10, 50, 100, 100_000),
  lateMs: fc.constantFrom(0, 0, 0, 900, 2_500),
});

beforeAll(async () => {
  bench = await createLogTestBench();
  const { rows } = await bench.api.database.pool.query(
    `INSERT INTO pipelines (workspace_id, name, owner_id) VALUES ($1, 'other', 'ada') RETURNING id`,
    [bench.workspaceId],
  );
  otherPipelineId = rows[0].id;
  const [pod, otherPod] = [bench.openPod({ checks }), bench.openPod({ checks, pipelineId: otherPipelineId })];
  let row = 0;
  for (const [i, { isOther, sizes, every, lateMs }] of fc.sample(plans, { numRuns: 40, seed: 1 }).entries()) {
    for (const [k, size] of sizes.entries()) {
      (isOther ? otherPod : pod).write(
        failingRows(row, size, { every, timeMs: startMs + i * 1_000 + k * 100 - lateMs }),
      );
      row += size;
    }
    (isOther ? otherPod : pod).flush();
    await bench.stored(row);
  }
});

afterAll(() => bench.close());

function failingRows(first: number, rowCount: number, { every, timeMs }: { every: number; timeMs: number }): LogRecord {
  const plain = numberedRows(first, rowCount, timeMs);
  const numbers = Array.from({ length: rowCount }, (_, i) => first + i);
  const words = numbers.map((n) => Array.from({ length: n % 4 }, (_, i) => `${n}-${i}é`));
  const offsets = new Int32Array(rowCount + 1);
  words.forEach(({ length }, i) => {
    offsets[i + 1] = offsets[i]! + length;
  });
  const column = { name: 'in.words', type: 'utf8', rowShape: [-1], values: words.flat(), offsets } as const;
  const checkFailures = numbers.map((n) => (n % every === 0 ? checks.slice(n % 2) : []));
  return { ...plain, columns: [column, ...plain.columns], checkFailures, elapsedNs: [first, rowCount] };
}

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const queries = fc.record({
  isOfModel: fc.boolean(),
  is2023: fc.boolean(),
  order: fc.constantFrom('asc', 'desc'),
  size: optional(fc.constantFrom(1, 7, 40, 5_000)),
  start: optional(fc.nat(42_000)),
  end: optional(fc.nat(42_000)),
  positions: optional(fc.tuple(fc.nat(2_500), fc.nat(2_500))),
});
type Query = typeof queries extends fc.Arbitrary<infer T> ? T : never;

/** The page of a query, with all that it says of its rows and where it goes on, as text. */
async function readPage({ isOfModel, is2023, order, size, start, end, positions }: Query): Promise<string> {
  const time = (ms: number) => new Date(startMs - 2_000 + ms).toISOString();
  const parameters = {
    order,
    'dataset.separator': '.',
    ...(size !== null && { page_size: String(size) }),
    ...(start !== null && { 'time.start': time(start) }),
    ...(end !== null && { 'time.end': time(end) }),
  };
  const [position, other] = positions ?? [];
  const iterator = {
    ...(position !== undefined && { [`pipeline-${bench.pipelineId}`]: position }),
    ...(other !== undefined && isOfModel && { [`pipeline-${otherPipelineId}`]: other }),
  };
  const { table, ...rest } = await bench.read('ada', parameters, {
    topic: `${isOfModel ? 'model-house-model-inference' : bench.topic}-failures`,
    iterator,
    userAgent: is2023 ? 'WallarooSDK/2023.2.0' : 'python-httpx/0.28',
  });
  return JSON.stringify([table.toArray(), rest], (_, value) => (typeof value === 'bigint' ? String(value) : value));
}

async function readPages(of: readonly Query[]): Promise<string[]> {
  const pages: string[] = [];
  for (const query of of) pages.push(await readPage(query));
  return pages;
}

test('pages of failures are the same from failed rows stored by themselves and from whole batches', async () => {
  const { pool } = bench.api.database;
  const { rows } = await pool.query(
    `SELECT count(failed_content)::int AS alone, count(*)::int - count(failed_content)::int AS whole
       FROM inference_log WHERE failure_count > 0`,
  );
  expect(Math.min(rows[0].alone, rows[0].whole)).toBeGreaterThan(5);
  const asked = fc.sample(queries, { numRuns: 100, seed: 2 });
  const pages = await readPages(asked);
  expect(new Set(pages).size).toBeGreaterThan(40);
  await pool.query('CREATE TABLE kept AS SELECT * FROM inference_log');
  await pool.query('UPDATE inference_log SET failed_content = NULL');
  expect(await readPages(asked)).toEqual(pages);
  // Now only the failed rows can be read of the batches that have them alone.
  await pool.query(
    `UPDATE inference_log AS log SET failed_content = kept.failed_content, content = '\\x00' FROM kept
      WHERE kept.failed_content IS NOT NULL AND (log.pipeline_id, log.first_row) = (kept.pipeline_id, kept.first_row)`,
  );
  expect(await readPages(asked)).toEqual(pages);
  await expect(bench.read('ada', { page_size: '5000' })).rejects.toThrow(/^500 /);
});
