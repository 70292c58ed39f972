import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Column } from '@pademelon/contracts';
import { PgInferenceLogSink } from '@pademelon/database';
import {
  type LogCollector,
  type LogOrigin,
  type LogRecord,
  LogWriter,
  startLogCollector,
} from '@pademelon/inference-log';
import { waitUntil } from '@pademelon/testing';
import { type Table, tableFromIPC } from 'apache-arrow';
import { createTestApi, type TestApi } from '../../test-api.ts';

export interface LogTestBench {
  readonly api: TestApi;
  readonly collector: LogCollector;
  readonly workspaceId: number;
  readonly pipelineId: number;
  readonly topic: string;
  /** A pod of ada's pipeline, or of another. */
  openPod(origin?: Partial<LogOrigin>): LogWriter;
  /** Resolves when the collector has stored so many rows in all. */
  stored(rows: number): Promise<void>;
  /** Reads a page of a topic as Arrow. */
  read(user: string, parameters?: Record<string, string | string[]>, options?: ReadOptions): Promise<LogAnswer>;
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly topic?: string;
  readonly iterator?: object;
  readonly userAgent?: string;
}

export interface LogAnswer {
  readonly table: Table;
  readonly status: string;
  readonly next: Record<string, number> | null;
}

/** The API with a collector that stores into its database, and ada's workspace with the pipeline `house-price`. */
export async function createLogTestBench(): Promise<LogTestBench> {
  const api = await createTestApi();
  const folder = mkdtempSync(join(tmpdir(), 'pademelon-log-'));
  const socketPath = join(folder, 'log.sock');
  const collector = await startLogCollector({ socketPath, sink: new PgInferenceLogSink(api.database.pool) });
  const created = await api.post('ada', '/v1/api/workspaces/create', { workspace_name: 'lab' });
  const workspaceId = created.json().workspace_id as number;
  const { rows } = await api.database.pool.query(
    `INSERT INTO pipelines (workspace_id, name, owner_id) VALUES ($1, 'house-price', 'ada') RETURNING id`,
    [workspaceId],
  );
  const pipelineId = rows[0].id as number;
  const topic = `workspace-${workspaceId}-pipeline-house-price-inference`;
  const pods: LogWriter[] = [];
  return {
    api,
    collector,
    workspaceId,
    pipelineId,
    topic,
    openPod: (origin = {}) => {
      const pod = new LogWriter({
        socketPath,
        origin: { ...standardOrigin, pipelineId, podId: `pod-${pods.length}`, ...origin },
      });
      pods.push(pod);
      return pod;
    },
    stored: (count) =>
      waitUntil<boolean>(`${count} rows are stored`, () => collector.stats().writtenRows >= count).then(
        () => undefined,
      ),
    read: async (user, parameters = {}, options = {}) => {
      const answer = await api.send(user, {
        method: 'POST',
        url: `/v1/logs/topic/${options.topic ?? topic}/records`,
        query: parameters,
        payload: options.iterator ?? {},
        headers: {
          accept: 'application/vnd.apache.arrow.file',
          'user-agent': options.userAgent ?? 'python-httpx/0.28',
        },
      });
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.body}`);
      const table = tableFromIPC(answer.rawPayload);
      const { status, next } = JSON.parse(table.schema.metadata.get('status')!);
      return { table, status, next };
    },
    close: async () => {
      await Promise.all(pods.map((pod) => pod.close()));
      await collector.stop();
      await api.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const standardOrigin = {
  pipelineVersion: '6a3b6d5c-0000-4000-8000-000000000001',
  modelNames: ['house-model'],
  checks: ['too-dear'],
};

/** Rows whose `out.variable` are consecutive numbers from `first`; every fifth number fails the check. */
export function numberedRows(first: number, rowCount: number, timeMs = 1_700_000_000_000 + first): LogRecord {
  const numbers = Array.from({ length: rowCount }, (_, i) => first + i);
  const columns: Column[] = [
    { name: 'in.tensor', type: 'float32', rowShape: [2], values: Float32Array.from(numbers.flatMap((n) => [n, 0.1])) },
    { name: 'out.variable', type: 'float64', rowShape: [1], values: Float64Array.from(numbers) },
  ];
  const isAnyFailed = numbers.some((n) => n % 5 === 0);
  return {
    timeMs,
    rowCount,
    columns,
    checkFailures: isAnyFailed ? numbers.map((n) => (n % 5 === 0 ? ['too-dear'] : [])) : null,
    lastModel: { name: 'house-model', sha: 'abc' },
    elapsedNs: [1_500, 2_500],
  };
}

/** The numbers that `numberedRows` gave, as they stand in an answer. */
export function numbersOf({ table }: LogAnswer): number[] {
  const column = table.getChild('out.variable');
  return column === null ? [] : Array.from(column, (list) => list.get(0) as number);
}
