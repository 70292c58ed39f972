import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { basename } from 'node:path';
import { createPool } from '@pademelon/database/sql';
import { descendants } from '../scripts/process-tree.ts';
import { startPlatform } from '../tests/acceptance/support/platform.ts';
import { platformDatabaseUrl } from '../tests/acceptance/support/platform-database.ts';
import { logIn, type RestClient } from '../tests/acceptance/support/rest-client.ts';
import {
  createWorkspace,
  inferRecords,
  uniqueName,
  untilStatus,
  uploadModel,
} from '../tests/acceptance/support/rest-flow.ts';
import { until } from '../tests/acceptance/support/until.ts';
import { provideBenchModel } from './bench-model.ts';
import { fillDay } from './fill-log.ts';
import { exportCases, pageCases, type ReadLog } from './log-page-cases.ts';
import { type PlannedRecord, planLog } from './log-plan.ts';
import { median } from './report.ts';
import { usedCpuMs } from './targets/cpu-time.ts';

const times = 5;
const checkName = 'price too high';
/** Requests that are really made at the end, one after the other, by their rows. */
const realRequests = [1, 1, 30, 1];

export interface LogPagesOptions {
  readonly say: (line: string) => void;
  readonly rows?: number;
}

/**
 * How long the pages of a long inference log take over HTTP. The product is started as users start it, and its log is
 * filled by what pods and hosts log with; the last few rows are real inferences. Every page is checked: rows and their
 * order. A table in Markdown.
 */
export async function measureLogPages({ say, rows = 10_000_000 }: LogPagesOptions): Promise<string> {
  const platform = await startPlatform();
  try {
    const client = await logIn(platform);
    const databaseUrl = platformDatabaseUrl(platform);
    const model = await provideBenchModel();
    const pipeline = await deployPipeline(client, model.path);
    const records = await fillLog({ client, pipeline, databaseUrl, rows, features: model.rows, say });
    const log: ReadLog = { client, pipeline, records, rows };
    const lines = [
      `${rows.toLocaleString('en')} rows in ${await describeStorage(databaseUrl)}; each page asked for ${times} times over HTTP; CPU is the whole product's for a page.`,
      '',
      '| page | rows | kB | median ms | worst ms | CPU ms |',
      '|---|--:|--:|--:|--:|--:|',
    ];
    const loads = [loadavg()[0]!];
    for (const { name, ask } of pageCases(log)) {
      const pages = [];
      const cpuBefore = productCpuMs(platform.pid);
      for (let i = 0; i < times; i++) pages.push(await ask());
      const cpuMs = (productCpuMs(platform.pid) - cpuBefore) / times;
      const ms = pages.map((page) => page.ms);
      const size = [pages[0]!.rows.length.toLocaleString('en'), (pages[0]!.bytes / 1000).toFixed(0)];
      lines.push(
        `| ${[name, ...size, median(ms).toFixed(0), Math.max(...ms).toFixed(0), cpuMs.toFixed(0)].join(' | ')} |`,
      );
      say(lines.at(-1)!);
      loads.push(loadavg()[0]!);
    }
    lines.push('', '| export | pages | rows/s, median | longest page ms |', '|---|--:|--:|--:|');
    for (const { name, run } of exportCases(log)) {
      const exports = [];
      for (let i = 0; i < times; i++) exports.push(await run());
      const rate = Math.round(median(exports.map((each) => each.rowsPerSecond))).toLocaleString('en');
      const longest = Math.max(...exports.map((each) => each.longestMs)).toFixed(0);
      lines.push(`| ${name} | ${exports[0]!.pages} | ${rate} | ${longest} |`);
      say(lines.at(-1)!);
      loads.push(loadavg()[0]!);
    }
    lines.push('', `Load average meanwhile: ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}.`);
    return lines.join('\n');
  } finally {
    await platform.dispose();
  }
}

/** Of every process of the product, PostgreSQL's included: a busy machine lengthens it less than the time. */
function productCpuMs(pid: number): number {
  return descendants(pid).reduce((total, entry) => {
    try {
      return total + usedCpuMs(entry.pid);
    } catch {
      // Ended meanwhile, as workers of PostgreSQL do.
      return total;
    }
  }, 0);
}

interface BenchPipeline {
  readonly id: number;
  readonly name: string;
  readonly version: string;
  readonly workspaceId: number;
  readonly inferenceUrl: string;
  readonly model: { readonly name: string; readonly sha: string };
}

async function deployPipeline(client: RestClient, modelPath: string): Promise<BenchPipeline> {
  const workspaceId = await createWorkspace(client);
  const bytes = await readFile(modelPath);
  const model = await uploadModel(client, {
    name: uniqueName('house-price'),
    fileName: basename(modelPath),
    bytes,
    workspaceId,
  });
  await client.call('/v1/api/models/insert_model_config', { model_version_id: model.id });
  const name = uniqueName('log-pages');
  const inference = { models: [{ name: model.name, version: model.version, sha: model.sha }] };
  const steps = [{ ModelInference: inference }, { Check: { tree: [priceBelow(model.name, 1e9)] } }];
  const created = await client.call('/v1/api/pipelines/create', {
    pipeline_id: name,
    workspace_id: workspaceId,
    definition: { id: name, steps },
  });
  const deployment = await client.call('/v1/api/pipelines/deploy', {
    deploy_id: name,
    pipeline_version_pk_id: created.pipeline_variant_pk_id,
    pipeline_id: created.pipeline_pk_id,
    model_ids: [model.id],
    engine_config: { engine: { replicas: 1, cpu: 1 }, workspace_id: workspaceId },
  });
  await untilStatus(client, `${name}-${deployment.id}`, 'Running');
  return {
    id: created.pipeline_pk_id,
    name,
    version: created.pipeline_variant_version,
    workspaceId,
    inferenceUrl: `${client.url}/v1/api/pipelines/infer/${name}-${deployment.id}/${name}`,
    model: { name: model.name, sha: model.sha },
  };
}

/** As `add_validation` of the 2023 SDK writes it. */
function priceBelow(model: string, limit: number): string {
  const left = { node: 'variable', variant_id: { name: model }, position: 'output', key: [0, 0] };
  const root = { node: 'binop', op: '<', left, right: { node: 'literal', float: limit } };
  const value = { root, required_data: [{ name: model }] };
  return JSON.stringify({ values: { [checkName]: value }, gauges: [], validations: [checkName] });
}

interface Filling {
  readonly client: RestClient;
  readonly pipeline: BenchPipeline;
  readonly databaseUrl: string;
  readonly rows: number;
  readonly features: readonly (readonly number[])[];
  readonly say: (line: string) => void;
}

/** Resolves to every request in the log, in the order of their rows. */
async function fillLog({ client, pipeline, databaseUrl, rows, features, say }: Filling): Promise<PlannedRecord[]> {
  const startedAt = performance.now();
  const { id, version, model } = pipeline;
  const origin = { pipelineId: id, pipelineVersion: version, modelNames: [model.name], checks: [checkName] };
  const plannedRows = rows - realRequests.reduce((sum, count) => sum + count, 0);
  const days = planLog(plannedRows, Date.now());
  for (const day of days) {
    await fillDay(day, { databaseUrl, origin, lastModel: model, features, rows });
    say(`The log of ${day.daysAgo} days ago stands after ${((performance.now() - startedAt) / 1000).toFixed(0)} s.`);
  }
  const records = days.flatMap(({ stretches }) => stretches.flatMap(({ bulk, lone }) => [...bulk, ...lone]));
  let row = plannedRows;
  for (const rowCount of realRequests) {
    const request = Array.from({ length: rowCount }, (_, i) => ({ tensor: [row + i, ...features[i]!.slice(1)] }));
    const answer = await inferRecords(client, pipeline.inferenceUrl, request);
    if (answer.status !== 200) throw new Error(`An inference was answered ${answer.status}: ${answer.text}`);
    const [{ time }] = JSON.parse(answer.text) as [{ time: number }];
    records.push({ firstRow: row, rowCount, timeMs: time });
    row += rowCount;
  }
  const topic = `/v1/logs/topic/workspace-${pipeline.workspaceId}-pipeline-${pipeline.name}-inference`;
  await until(
    async () => {
      const { partitions } = JSON.parse((await client.send(topic, { method: 'GET' })).text);
      return partitions[`pipeline-${id}`].end === rows;
    },
    { withinMs: 10_000, what: `the log to have ${rows} rows` },
  );
  await analyze(databaseUrl);
  return records;
}

/** As autovacuum has done in a log that has grown for days. */
async function analyze(databaseUrl: string): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1, name: 'bench' });
  try {
    await pool.query('ANALYZE inference_log');
    await pool.query('ANALYZE inference_log_days');
  } finally {
    await pool.end();
  }
}

async function describeStorage(databaseUrl: string): Promise<string> {
  const pool = createPool(databaseUrl, { max: 1, name: 'bench' });
  try {
    const { rows } = await pool.query<{ batches: string; days: string; bytes: string; index_bytes: string }>(
      `SELECT (SELECT count(*) FROM inference_log) AS batches,
              (SELECT count(DISTINCT day) FROM inference_log_days) AS days,
              sum(pg_total_relation_size(inhrelid)) AS bytes, sum(pg_indexes_size(inhrelid)) AS index_bytes
         FROM pg_inherits WHERE inhparent = 'inference_log'::regclass`,
    );
    const { batches, days, bytes, index_bytes: indexBytes } = rows[0]!;
    const megabytes = (text: string) => `${Math.round(Number(text) / 1e6).toLocaleString('en')} MB`;
    return `${Number(batches).toLocaleString('en')} batches of ${days} days, ${megabytes(bytes)} in PostgreSQL (${megabytes(indexBytes)} of them indexes)`;
  } finally {
    await pool.end();
  }
}
