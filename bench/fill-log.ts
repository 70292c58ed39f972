import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Column } from '@pademelon/contracts';
import { createPool, PgInferenceLogSink } from '@pademelon/database/sql';
import { type LogCollector, startLogCollector } from '@pademelon/inference-log';
import { type LogModel, type LogOrigin, LogWriter } from '@pademelon/inference-log/frames';
import { failsCheck, type PlannedDay, type PlannedRecord, randomNumbers } from './log-plan.ts';

export interface FillOptions {
  readonly databaseUrl: string;
  readonly origin: Omit<LogOrigin, 'podId'>;
  readonly lastModel: LogModel;
  /** Rows whose values are mixed; the first value of each logged row is its number. */
  readonly features: readonly (readonly number[])[];
  /** Of the whole log. */
  readonly rows: number;
}

/**
 * Writes a day of the plan as pods and their host do: by the writer of pods, the collector of hosts and its sink. Only
 * the database's clock is another, so that the batches come into the partition of their day, and commits do not wait
 * for the disk.
 */
export async function fillDay({ daysAgo, stretches }: PlannedDay, options: FillOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pademelon-fill-'));
  const pool = createPool(await databaseOfDay(options.databaseUrl, daysAgo), { max: 2, name: 'bench' });
  try {
    const sink = new PgInferenceLogSink(pool);
    // Requests of many rows wait a moment for others that share their batch; lone ones come too seldom for that.
    const bulk = await openPod({ folder, sink, options, name: 'bulk' });
    const lone = await openPod({ folder, sink, options, name: 'lone', maxBatchBytes: 1 });
    for (const [i, stretch] of stretches.entries()) {
      // Of a file of the default size, 4 MB, two share a batch.
      await bulk.write(stretch.bulk, 1 + (i % 2));
      await lone.write(stretch.lone, 300);
    }
    await bulk.end();
    await lone.end();
  } finally {
    await pool.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Where the functions of PostgreSQL itself are looked up last, another clock_timestamp() is found first. */
async function databaseOfDay(databaseUrl: string, daysAgo: number): Promise<string> {
  const pool = createPool(databaseUrl, { max: 1, name: 'bench' });
  try {
    await pool.query('CREATE SCHEMA IF NOT EXISTS bench_clock');
    await pool.query(
      `CREATE OR REPLACE FUNCTION bench_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
       $$ SELECT pg_catalog.clock_timestamp() - make_interval(days => current_setting('bench.days_ago')::int) $$`,
    );
  } finally {
    await pool.end();
  }
  const url = new URL(databaseUrl);
  const settings = ['search_path=public,bench_clock,pg_catalog', `bench.days_ago=${daysAgo}`, 'synchronous_commit=off'];
  url.searchParams.set('options', settings.map((setting) => `-c ${setting}`).join(' '));
  return url.href;
}

interface Pod {
  /** Writes so many records at once and goes on when they are stored. */
  write(records: readonly PlannedRecord[], atOnce: number): Promise<void>;
  end(): Promise<void>;
}

interface PodParts {
  readonly folder: string;
  readonly sink: PgInferenceLogSink;
  readonly options: FillOptions;
  readonly name: string;
  readonly maxBatchBytes?: number;
}

async function openPod({ folder, sink, options, name, maxBatchBytes }: PodParts): Promise<Pod> {
  const { origin, lastModel, features, rows } = options;
  const socketPath = join(folder, `${name}.sock`);
  const collector = await startLogCollector({
    socketPath,
    sink,
    onProblem: (error, what) => process.stderr.write(`${what}: ${error}\n`),
    ...(maxBatchBytes !== undefined && { maxBatchBytes }),
  });
  const podId = randomUUID();
  const writer = new LogWriter({ socketPath, origin: { ...origin, podId } });
  const checks = origin.checks;
  let written = 0;
  return {
    async write(records, atOnce) {
      for (let i = 0; i < records.length; i += atOnce) {
        for (const { firstRow, rowCount, timeMs } of records.slice(i, i + atOnce)) {
          const columns = columnsOf(firstRow, rowCount, features);
          const failures = Array.from({ length: rowCount }, (_, k) => (failsCheck(firstRow + k, rows) ? checks : []));
          const checkFailures = failures.some((names) => names.length > 0) ? failures : null;
          const elapsedNs = [200_000 + rowCount * 500, 90_000 + rowCount * 4_000] as const;
          writer.write({ timeMs, rowCount, columns, checkFailures, lastModel, elapsedNs });
          written += rowCount;
        }
        writer.flush();
        await untilStored(collector, written);
      }
    },
    async end() {
      await writer.close();
      await collector.podEnded(
        { podId, pipelineId: origin.pipelineId },
        { records: writer.records, rows: writer.rows },
      );
      await collector.stop();
      await untilStored(collector, written);
    },
  };
}

async function untilStored(collector: LogCollector, rows: number): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (true) {
    const { writtenRows, dropped } = collector.stats();
    const lost = Object.values(dropped).reduce((total, counts) => total + counts.rows, 0);
    if (lost > 0) throw new Error(`The log lost ${lost} rows while it was filled.`);
    if (writtenRows === rows) return;
    if (performance.now() > deadline) throw new Error(`The log has ${writtenRows} of ${rows} rows after a minute.`);
    await sleep(2);
  }
}

/** As a pod logs the house-price model. */
function columnsOf(firstRow: number, rowCount: number, features: FillOptions['features']): Column[] {
  const width = features[0]!.length;
  const random = randomNumbers(firstRow);
  const inputs = new Float32Array(rowCount * width);
  const outputs = new Float32Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const at = row * width;
    inputs[at] = firstRow + row;
    // From houses of every kind: rows that come again as they are would be stored far smaller than real ones.
    for (let i = 1; i < width; i++) inputs[at + i] = features[Math.floor(random() * features.length)]![i]!;
    outputs[row] = 200_000 + random() * 800_000;
  }
  return [
    { name: 'in.tensor', type: 'float32', rowShape: [width], values: inputs },
    { name: 'out.variable', type: 'float32', rowShape: [1], values: outputs },
  ];
}
