import { numberArrays } from '@pademelon/contracts';
import type { LogBatch, LogColumn, LogFailures, LogValues } from '@pademelon/domain';
import { padTo8, recordHeaderBytes } from './frame-layout.ts';
import type { LogColumnShape } from './log-record.ts';
import { type ColumnExtent, measureColumn, type RecordFrame, rowsOf } from './received-frames.ts';

/** Puts the records of frames of one group, at least one, together column by column, oldest first. */
export function buildBatch(received: readonly RecordFrame[]): LogBatch {
  const frames = inTimeOrder(received);
  const { schema } = frames[0]!;
  const rowCount = frames.reduce((sum, frame) => sum + frame.rowCount, 0);
  const starts = Float64Array.from(frames, ({ columnsAt }) => columnsAt);
  const columns = schema.columns.map((column) => buildColumn(column, { frames, starts, rowCount }));
  const podNumbers = new Map<string, number>();
  const timesMs = uninitialized('float64', rowCount);
  const elapsedNs = [uninitialized('float64', rowCount), uninitialized('float64', rowCount)] as const;
  const pods = uninitialized('int32', rowCount);
  let row = 0;
  for (const frame of frames) {
    const { podId } = frame.schema;
    const pod = podNumbers.get(podId) ?? podNumbers.size;
    podNumbers.set(podId, pod);
    const end = row + frame.rowCount;
    timesMs.fill(frame.timeMs, row, end);
    pods.fill(pod, row, end);
    fillElapsed(frame, elapsedNs, row);
    row = end;
  }
  const { pipelineVersion, lastModel, checks, dropped } = schema;
  const facts = { podIds: [...podNumbers.keys()], pipelineVersion, lastModel, checks, dropped };
  return { rowCount, timesMs, columns, failures: buildFailures(frames, rowCount), elapsedNs, pods, facts };
}

function inTimeOrder(frames: readonly RecordFrame[]): readonly RecordFrame[] {
  const isOrdered = frames.every((frame, i) => i === 0 || frames[i - 1]!.timeMs <= frame.timeMs);
  return isOrdered ? frames : frames.toSorted((a, b) => a.timeMs - b.timeMs);
}

/** Every row gets the times of its record. */
function fillElapsed(frame: RecordFrame, elapsedNs: readonly [Float64Array, Float64Array], firstRow: number): void {
  const { bytes, recordCount } = frame;
  let row = firstRow;
  for (let record = 0; record < recordCount; record++) {
    const requestNs = bytes.readDoubleLE(recordHeaderBytes + record * 8);
    const modelsNs = bytes.readDoubleLE(recordHeaderBytes + (recordCount + record) * 8);
    for (const end = row + rowsOf(frame, record); row < end; row++) {
      elapsedNs[0][row] = requestNs;
      elapsedNs[1][row] = modelsNs;
    }
  }
}

interface Rows {
  readonly frames: readonly RecordFrame[];
  /** Where in each frame the next column starts; moved on by every column built. */
  readonly starts: Float64Array;
  readonly rowCount: number;
}

function buildColumn(shape: LogColumnShape, { frames, starts, rowCount }: Rows): LogColumn {
  const { name, type, rowShape } = shape;
  const extents = frames.map((frame, i) => measureColumn(frame, shape, starts[i]!));
  const offsets = shape.isRagged ? joinOffsets(frames, starts, rowCount) : undefined;
  const valueCount = extents.reduce((sum, extent) => sum + extent.valueCount, 0);
  const values: LogValues =
    type === 'utf8'
      ? joinStrings(frames, extents, valueCount)
      : joinNumbers(frames, extents, uninitialized(type, valueCount));
  extents.forEach((extent, i) => {
    starts[i] = starts[i]! + extent.bytes;
  });
  return offsets === undefined ? { name, type, rowShape, values } : { name, type, rowShape, values, offsets };
}

/** Every value is written anyway: zeros first would cost as much again. */
function uninitialized<T extends keyof typeof numberArrays>(
  type: T,
  count: number,
): InstanceType<(typeof numberArrays)[T]> {
  const ofType = numberArrays[type];
  const { buffer } = Buffer.allocUnsafeSlow(count * ofType.BYTES_PER_ELEMENT);
  return new ofType(buffer, 0, count) as InstanceType<(typeof numberArrays)[T]>;
}

function joinNumbers<T extends Exclude<LogValues, { bytes: Uint8Array }>>(
  frames: readonly RecordFrame[],
  extents: readonly ColumnExtent[],
  values: T,
): T {
  const bytes = Buffer.from(values.buffer as ArrayBuffer);
  let at = 0;
  for (let i = 0; i < frames.length; i++) {
    const extent = extents[i]!;
    at += frames[i]!.bytes.copy(bytes, at, extent.valuesAt, extent.valuesAt + extent.valueBytes);
  }
  return values;
}

function joinStrings(frames: readonly RecordFrame[], extents: readonly ColumnExtent[], valueCount: number) {
  const byteOffsets = new Int32Array(valueCount + 1);
  const text = Buffer.allocUnsafeSlow(extents.reduce((sum, extent) => sum + extent.valueBytes, 0));
  let value = 0;
  let end = 0;
  for (let i = 0; i < frames.length; i++) {
    const extent = extents[i]!;
    const { bytes } = frames[i]!;
    for (let k = 1; k <= extent.valueCount; k++) {
      byteOffsets[++value] = end + bytes.readUInt32LE(extent.valuesAt + k * 4);
    }
    const textAt = extent.valuesAt + padTo8((extent.valueCount + 1) * 4);
    end += bytes.copy(text, end, textAt, textAt + extent.valueBytes);
  }
  return { byteOffsets, bytes: text };
}

function joinOffsets(frames: readonly RecordFrame[], starts: Float64Array, rowCount: number): Int32Array {
  const offsets = new Int32Array(rowCount + 1);
  let row = 0;
  frames.forEach((frame, i) => {
    const before = offsets[row]!;
    for (let k = 1; k <= frame.rowCount; k++) offsets[++row] = before + frame.bytes.readUInt32LE(starts[i]! + k * 4);
  });
  return offsets;
}

function buildFailures(frames: readonly RecordFrame[], rowCount: number): LogFailures | null {
  const count = frames.reduce((sum, frame) => sum + frame.failureCount, 0);
  if (count === 0) return null;
  const offsets = new Int32Array(rowCount + 1);
  const numbers = new Int32Array(count);
  let firstRow = 0;
  let at = 0;
  for (const { bytes, failuresAt, failureCount, rowCount: rows } of frames) {
    // The pod writes failures in the order of rows.
    for (let i = 0; i < failureCount; i++) {
      const pair = failuresAt + i * 8;
      const row = firstRow + bytes.readUInt32LE(pair);
      numbers[at++] = bytes.readUInt32LE(pair + 4);
      offsets[row + 1] = offsets[row + 1]! + 1;
    }
    firstRow += rows;
  }
  for (let row = 0; row < rowCount; row++) offsets[row + 1] = offsets[row + 1]! + offsets[row]!;
  return { offsets, numbers };
}
