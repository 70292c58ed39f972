import type { LogBatch, LogColumn, LogFailures, LogValues } from '@pademelon/domain';
import { padTo8, recordHeaderBytes, valueBytes } from './frame-layout.ts';
import type { LogColumnShape } from './log-record.ts';
import { type ColumnExtent, measureColumn, type ReceivedRecord, valuesStart } from './received-record.ts';

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Puts the values of records of one group, at least one, together column by column, oldest first. */
export function buildBatch(received: readonly ReceivedRecord[]): LogBatch {
  const records = inTimeOrder(received);
  const { schema } = records[0]!;
  const rowCount = records.reduce((sum, record) => sum + record.rowCount, 0);
  const starts = Float64Array.from(records, valuesStart);
  const columns = schema.columns.map((column) => buildColumn(column, { records, starts, rowCount }));
  const podNumbers = new Map<string, number>();
  const timesMs = new Float64Array(rowCount);
  const elapsedNs = [new Float64Array(rowCount), new Float64Array(rowCount)] as const;
  const pods = new Int32Array(rowCount);
  let row = 0;
  for (const record of records) {
    const { podId } = record.schema;
    const pod = podNumbers.get(podId) ?? podNumbers.size;
    podNumbers.set(podId, pod);
    const end = row + record.rowCount;
    timesMs.fill(record.timeMs, row, end);
    elapsedNs[0].fill(record.elapsedNs[0], row, end);
    elapsedNs[1].fill(record.elapsedNs[1], row, end);
    pods.fill(pod, row, end);
    row = end;
  }
  const { pipelineVersion, lastModel, checks, dropped } = schema;
  const facts = { podIds: [...podNumbers.keys()], pipelineVersion, lastModel, checks, dropped };
  return { rowCount, timesMs, columns, failures: buildFailures(records, rowCount), elapsedNs, pods, facts };
}

function inTimeOrder(records: readonly ReceivedRecord[]): readonly ReceivedRecord[] {
  const isOrdered = records.every((record, i) => i === 0 || records[i - 1]!.timeMs <= record.timeMs);
  return isOrdered ? records : records.toSorted((a, b) => a.timeMs - b.timeMs);
}

interface Rows {
  readonly records: readonly ReceivedRecord[];
  /** Where in each record's frame the next column starts; moved on by every column built. */
  readonly starts: Float64Array;
  readonly rowCount: number;
}

function buildColumn(shape: LogColumnShape, { records, starts, rowCount }: Rows): LogColumn {
  const { name, type, rowShape } = shape;
  const extents = records.map((record, i) => measureColumn(record, shape, starts[i]!));
  const offsets = shape.isRagged ? joinOffsets(records, starts, rowCount) : undefined;
  const valueCount = extents.reduce((sum, extent) => sum + extent.valueCount, 0);
  const values: LogValues =
    type === 'utf8'
      ? joinStrings(records, extents, valueCount)
      : joinNumbers(records, extents, uninitialized(type, valueCount));
  extents.forEach((extent, i) => {
    starts[i] = starts[i]! + extent.bytes;
  });
  return offsets === undefined ? { name, type, rowShape, values } : { name, type, rowShape, values, offsets };
}

/** Every value is written anyway: zeros first would cost as much again. */
function uninitialized(type: keyof typeof arrays, count: number): InstanceType<(typeof arrays)[keyof typeof arrays]> {
  const { buffer } = Buffer.allocUnsafeSlow(count * valueBytes[type]);
  return new arrays[type](buffer, 0, count);
}

function joinNumbers<T extends Exclude<LogValues, { bytes: Uint8Array }>>(
  records: readonly ReceivedRecord[],
  extents: readonly ColumnExtent[],
  values: T,
): T {
  const bytes = Buffer.from(values.buffer as ArrayBuffer);
  let at = 0;
  for (let i = 0; i < records.length; i++) {
    const extent = extents[i]!;
    at += records[i]!.frame.copy(bytes, at, extent.valuesAt, extent.valuesAt + extent.valueBytes);
  }
  return values;
}

function joinStrings(records: readonly ReceivedRecord[], extents: readonly ColumnExtent[], valueCount: number) {
  const byteOffsets = new Int32Array(valueCount + 1);
  const bytes = Buffer.allocUnsafeSlow(extents.reduce((sum, extent) => sum + extent.valueBytes, 0));
  let value = 0;
  let end = 0;
  for (let i = 0; i < records.length; i++) {
    const extent = extents[i]!;
    const { frame } = records[i]!;
    for (let k = 1; k <= extent.valueCount; k++) {
      byteOffsets[++value] = end + frame.readUInt32LE(extent.valuesAt + k * 4);
    }
    const textAt = extent.valuesAt + padTo8((extent.valueCount + 1) * 4);
    end += frame.copy(bytes, end, textAt, textAt + extent.valueBytes);
  }
  return { byteOffsets, bytes };
}

function joinOffsets(records: readonly ReceivedRecord[], starts: Float64Array, rowCount: number): Int32Array {
  const offsets = new Int32Array(rowCount + 1);
  let row = 0;
  records.forEach((record, i) => {
    const before = offsets[row]!;
    for (let k = 1; k <= record.rowCount; k++) offsets[++row] = before + record.frame.readUInt32LE(starts[i]! + k * 4);
  });
  return offsets;
}

function buildFailures(records: readonly ReceivedRecord[], rowCount: number): LogFailures | null {
  const count = records.reduce((sum, record) => sum + record.failureCount, 0);
  if (count === 0) return null;
  const offsets = new Int32Array(rowCount + 1);
  const numbers = new Int32Array(count);
  let firstRow = 0;
  let at = 0;
  for (const record of records) {
    // The pod writes failures in the order of rows.
    for (let i = 0; i < record.failureCount; i++) {
      const pair = recordHeaderBytes + i * 8;
      const row = firstRow + record.frame.readUInt32LE(pair);
      numbers[at++] = record.frame.readUInt32LE(pair + 4);
      offsets[row + 1] = offsets[row + 1]! + 1;
    }
    firstRow += record.rowCount;
  }
  for (let row = 0; row < rowCount; row++) offsets[row + 1] = offsets[row + 1]! + offsets[row]!;
  return { offsets, numbers };
}
