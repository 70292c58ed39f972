import type { LogBatch, LogColumn, LogFailures, LogValues } from '@pademelon/domain';
import type { BatchMemory } from './batch-memory.ts';
import { padTo8, recordHeaderBytes } from './frame-layout.ts';
import type { LogColumnShape } from './log-record.ts';
import { type ColumnExtent, columnBuffer, measureColumn, type RecordFrame, rowsOf } from './received-frames.ts';

/** What a batch has for each row beside the logged columns: three times, its pod and where its failed checks start. */
const ownRowBytes = 32;
const ownPadding = 64;

/** How much memory the batch of these frames takes at most. */
export function batchBytes(frames: readonly RecordFrame[]): number {
  return frames.reduce((sum, { size, rowCount }) => sum + size + rowCount * ownRowBytes, ownPadding);
}

/**
 * Puts the records of frames of one group, at least one, together column by column, oldest first. Takes memory in the
 * order in which an Arrow stream has the columns.
 */
export function buildBatch(received: readonly RecordFrame[], memory: BatchMemory): LogBatch {
  const frames = inTimeOrder(received);
  const { schema } = frames[0]!;
  const rowCount = frames.reduce((sum, frame) => sum + frame.rowCount, 0);
  const starts = Float64Array.from(frames, ({ columnsAt }) => columnsAt);
  const timesMs = memory.take('float64', rowCount);
  const columns = schema.columns.map((column) => buildColumn(column, { frames, starts, rowCount, memory }));
  const elapsedNs = [memory.take('float64', rowCount), memory.take('float64', rowCount)] as const;
  const pods = memory.take('int32', rowCount);
  const podNumbers = new Map<string, number>();
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
  return { rowCount, timesMs, columns, failures: buildFailures(frames, rowCount, memory), elapsedNs, pods, facts };
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
    const end = row + rowsOf(frame, record);
    elapsedNs[0].fill(requestNs, row, end);
    elapsedNs[1].fill(modelsNs, row, end);
    row = end;
  }
}

interface Rows {
  readonly frames: readonly RecordFrame[];
  /** Where in each frame the next column starts; moved on by every column built. */
  readonly starts: Float64Array;
  readonly rowCount: number;
  readonly memory: BatchMemory;
}

function buildColumn(shape: LogColumnShape, { frames, starts, rowCount, memory }: Rows): LogColumn {
  const { name, type, rowShape } = shape;
  const extents = frames.map((frame, i) => measureColumn(frame, shape, starts[i]!));
  const offsets = shape.isRagged ? joinOffsets(frames, starts, memory.take('int32', rowCount + 1)) : undefined;
  const valueCount = extents.reduce((sum, extent) => sum + extent.valueCount, 0);
  const values: LogValues =
    type === 'utf8'
      ? joinStrings(frames, extents, valueCount, memory)
      : joinNumbers(frames, extents, memory.take(type, valueCount));
  extents.forEach((extent, i) => {
    starts[i] = starts[i]! + extent.bytes;
  });
  return offsets === undefined ? { name, type, rowShape, values } : { name, type, rowShape, values, offsets };
}

function joinNumbers<T extends Exclude<LogValues, { bytes: Uint8Array }>>(
  frames: readonly RecordFrame[],
  extents: readonly ColumnExtent[],
  values: T,
): T {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let at = 0;
  for (let i = 0; i < frames.length; i++) {
    const { valuesAt, valueBytes } = extents[i]!;
    at += frames[i]!.columns.copy(bytes, at, valuesAt, valuesAt + valueBytes);
  }
  return values;
}

function joinStrings(
  frames: readonly RecordFrame[],
  extents: readonly ColumnExtent[],
  valueCount: number,
  memory: BatchMemory,
) {
  const byteOffsets = memory.take('int32', valueCount + 1);
  const text = memory.take(
    'uint8',
    extents.reduce((sum, extent) => sum + extent.valueBytes, 0),
  );
  byteOffsets[0] = 0;
  let value = 0;
  let end = 0;
  for (let i = 0; i < frames.length; i++) {
    const extent = extents[i]!;
    const bytes = columnBuffer(frames[i]!);
    for (let k = 1; k <= extent.valueCount; k++) {
      byteOffsets[++value] = end + bytes.readUInt32LE(extent.valuesAt + k * 4);
    }
    const textAt = extent.valuesAt + padTo8((extent.valueCount + 1) * 4);
    end += bytes.copy(text, end, textAt, textAt + extent.valueBytes);
  }
  return { byteOffsets, bytes: text };
}

function joinOffsets(frames: readonly RecordFrame[], starts: Float64Array, offsets: Int32Array): Int32Array {
  let row = 0;
  offsets[0] = 0;
  frames.forEach((frame, i) => {
    const before = offsets[row]!;
    const bytes = columnBuffer(frame);
    for (let k = 1; k <= frame.rowCount; k++) offsets[++row] = before + bytes.readUInt32LE(starts[i]! + k * 4);
  });
  return offsets;
}

function buildFailures(frames: readonly RecordFrame[], rowCount: number, memory: BatchMemory): LogFailures | null {
  const count = frames.reduce((sum, frame) => sum + frame.failureCount, 0);
  if (count === 0) return null;
  const offsets = memory.take('int32', rowCount + 1).fill(0);
  const numbers = memory.take('int32', count);
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
