import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import {
  fromInt64,
  type LogBatch,
  type LogBatchDecoder,
  type LogColumn,
  type LogFacts,
  turnIntoInt64,
} from '@pademelon/domain';
import {
  type Data,
  Field,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from 'apache-arrow';
import { fromArrowData, listData, toArrowData } from './arrow-columns.ts';
import { compressBatch } from './batch-compressor.ts';
import type { BatchMemory } from './batch-memory.ts';

const decompress = promisify(zstdDecompress);

/** Much less than that, and most of the time goes into handing pieces over. */
const chunkSize = 256 * 1024;
/** Our own batches stay far below; what inflates to more is not one of them. */
const maxBatchBytes = 512 * 1024 * 1024;

const factsKey = 'pademelon.log';
const ownColumns = {
  time: 'time',
  failures: 'check_failures',
  requestNs: 'metadata.request_ns',
  modelsNs: 'metadata.models_ns',
  pod: 'metadata.pod',
} as const;

/**
 * A batch as an Arrow IPC stream of one record batch, compressed as a whole with zstd at level 1: any Arrow library
 * reads it after `zstd -d`. Columns: time (int64, ms), the logged ones under their names, check_failures (list of
 * numbers into the facts' checks, only where a row failed one) and three of metadata; the facts are JSON in the
 * schema's metadata. Compression runs on libuv's threads.
 */
export const arrowBatchDecoder: LogBatchDecoder = {
  decode: async (bytes) => fromIpcStream(await decompress(bytes, { chunkSize, maxOutputLength: maxBatchBytes })),
};

/** Encodes a batch whose columns lie in `memory`, both of which are used up; `decode` is the reverse. */
export async function encodeArrowBatch(batch: LogBatch, memory: BatchMemory): Promise<Uint8Array> {
  return compressBatch(memory.join(await toIpcStream(batch)));
}

async function toIpcStream(batch: LogBatch): Promise<Uint8Array[]> {
  const { rowCount } = batch;
  const own = (name: string, type: 'int64' | 'float64' | 'int32', values: LogColumn['values']): [string, Data] => [
    name,
    toArrowData({ name, type, rowShape: [], values }, rowCount, 'fixed'),
  ];
  const children: [string, Data][] = [
    own(ownColumns.time, 'int64', turnIntoInt64(batch.timesMs)),
    ...batch.columns.map((column): [string, Data] => [column.name, toArrowData(column, rowCount, 'fixed')]),
    own(ownColumns.requestNs, 'float64', batch.elapsedNs[0]),
    own(ownColumns.modelsNs, 'float64', batch.elapsedNs[1]),
    own(ownColumns.pod, 'int32', batch.pods),
  ];
  if (batch.failures !== null) {
    const { offsets, numbers } = batch.failures;
    const [name, data] = own(ownColumns.failures, 'int32', numbers);
    children.push([name, listData(data, rowCount, offsets)]);
  }
  const fields = children.map(([name, data]) => new Field(name, data.type, false));
  const schema = new Schema(fields, new Map([[factsKey, JSON.stringify(batch.facts)]]));
  const data = makeData({
    type: new Struct(fields),
    length: rowCount,
    nullCount: 0,
    children: children.map(([, child]) => child),
  });
  return Array.fromAsync(RecordBatchStreamWriter.writeAll([new RecordBatch(schema, data)]));
}

function fromIpcStream(bytes: Uint8Array): LogBatch {
  const reader = RecordBatchReader.from(bytes);
  const batch = reader.next().value as RecordBatch;
  const facts = JSON.parse(batch.schema.metadata.get(factsKey) ?? 'null') as LogFacts;
  const children = new Map(batch.schema.fields.map(({ name }, i) => [name, batch.data.children[i]!]));
  const take = (name: string): Data => {
    const data = children.get(name);
    if (data === undefined) throw new TypeError(`A stored log batch has no column ${name}.`);
    children.delete(name);
    return data;
  };
  const numbers = <T>(name: string): T => fromArrowData(name, take(name)).values as T;
  const failures = children.has(ownColumns.failures)
    ? fromArrowData(ownColumns.failures, take(ownColumns.failures))
    : null;
  return {
    rowCount: batch.numRows,
    timesMs: fromInt64(numbers(ownColumns.time)),
    elapsedNs: [numbers(ownColumns.requestNs), numbers(ownColumns.modelsNs)],
    pods: numbers(ownColumns.pod),
    failures: failures && { offsets: failures.offsets!, numbers: failures.values as Int32Array },
    columns: Array.from(children, ([name, data]) => fromArrowData(name, data)),
    facts,
  };
}
