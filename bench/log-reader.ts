import { type Table, tableFromIPC } from 'apache-arrow';
import type { RestClient } from '../tests/acceptance/support/rest-client.ts';
import { sdkUserAgent } from './sdk-user-agent.ts';

export type LogIterator = Readonly<Record<string, number>>;

export interface TimedPage {
  /** From the request to the last byte of the answer. */
  readonly ms: number;
  readonly bytes: number;
  readonly status: string;
  readonly next: LogIterator | null;
  /** The first value of each row, which is its number in the log, and its time. */
  readonly rows: ArrayLike<number>;
  readonly timesMs: readonly number[];
}

const arrowType = 'application/vnd.apache.arrow.file';
/** What `logs` of the SDKs says of columns. */
const dataset = { 'dataset[]': '*', 'dataset.exclude[]': 'metadata', 'dataset.separator': '.' };
const columns = ['time', 'in.tensor', 'out.variable', 'check_failures'];

/** Asks for a page of a topic as `logs` and `export_logs` of the SDKs do. */
export async function askPage(
  client: RestClient,
  topic: string,
  parameters: Readonly<Record<string, string>>,
  iterator: LogIterator = {},
): Promise<TimedPage> {
  const query = new URLSearchParams({ ...parameters, ...dataset });
  const headers = { accept: arrowType, 'content-type': 'application/json', 'user-agent': sdkUserAgent };
  const startedAt = performance.now();
  const answer = await client.send(`/v1/logs/topic/${topic}/records?${query}`, {
    body: JSON.stringify(iterator),
    headers,
  });
  const ms = performance.now() - startedAt;
  if (answer.status !== 200) throw new Error(`A page of ${topic} was answered ${answer.status}: ${answer.text}`);
  const table = tableFromIPC(answer.bytes);
  const { status, next } = JSON.parse(table.schema.metadata.get('status')!) as Pick<TimedPage, 'status' | 'next'>;
  return { ms, bytes: answer.bytes.length, status, next, ...readTable(table) };
}

function readTable(table: Table): Pick<TimedPage, 'rows' | 'timesMs'> {
  if (table.numRows === 0) return { rows: [], timesMs: [] };
  const names = table.schema.fields.map(({ name }) => name);
  if (names.join() !== columns.join()) throw new Error(`A page has the columns ${names}.`);
  const [tensor] = table.getChild('in.tensor')!.data;
  const values = tensor!.children[0]!.values as Float32Array;
  const offsets = tensor!.valueOffsets as Int32Array;
  const rows = Float64Array.from({ length: table.numRows }, (_, row) => values[offsets[row]!]!);
  const times = table.getChild('time')!.toArray() as BigInt64Array;
  return { rows, timesMs: Array.from(times, Number) };
}

/** `pipelines/get_logs` without a page size: a thousand rows as JSON records. */
export async function askRecords(
  client: RestClient,
  pipeline: { readonly name: string; readonly workspaceId: number },
): Promise<TimedPage> {
  const startedAt = performance.now();
  const answer = await client.send('/v1/api/pipelines/get_logs', {
    body: JSON.stringify({ pipeline_name: pipeline.name, workspace_id: pipeline.workspaceId }),
    headers: { 'content-type': 'application/json' },
  });
  const ms = performance.now() - startedAt;
  if (answer.status !== 200) throw new Error(`get_logs was answered ${answer.status}: ${answer.text}`);
  const records = JSON.parse(answer.text) as { time: number; in: { tensor: number[] } }[];
  return {
    ms,
    bytes: answer.bytes.length,
    status: answer.headers.get('x-iteration-status') ?? '',
    next: null,
    rows: records.map((record) => record.in.tensor[0]!),
    timesMs: records.map(({ time }) => time),
  };
}
