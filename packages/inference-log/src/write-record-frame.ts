import type { Column } from '@pademelon/contracts';
import type { FrameBuffer } from './frame-buffer.ts';
import { frameKind, hasRowCounts, recordHeaderBytes, spooledHeaderBytes } from './frame-layout.ts';

/** What a record frame says beside its columns; one element a record in each of the lists. */
export interface FrameRecords {
  readonly schemaId: number;
  readonly timeMs: number;
  readonly recordsBefore: number;
  readonly rowsBefore: number;
  /** Of all records. */
  readonly rowCount: number;
  readonly rowCounts: Uint32Array;
  /** Nanoseconds. */
  readonly requestNs: Float64Array;
  readonly modelsNs: Float64Array;
  /** Row and check, in turns. */
  readonly failures: Uint32Array;
}

/** Appends one or more records of one schema and one moment, whose columns lie one after the other in `columns`. */
export function writeRecordFrame(
  buffer: FrameBuffer,
  records: FrameRecords,
  columns: readonly Pick<Column, 'values' | 'offsets'>[],
): void {
  const start = buffer.reserve(recordHeaderBytes);
  const recordCount = records.rowCounts.length;
  buffer.appendArray(records.requestNs);
  buffer.appendArray(records.modelsNs);
  if (hasRowCounts(recordCount, records.rowCount)) buffer.appendArray(records.rowCounts);
  buffer.appendArray(records.failures);
  appendColumns(buffer, columns);
  buffer.writeHead(start, buffer.length - start, frameKind.record);
  buffer.writeUint32(start + 8, records.schemaId);
  buffer.writeUint32(start + 12, records.rowCount);
  buffer.writeFloat64(start + 16, records.recordsBefore);
  buffer.writeFloat64(start + 24, records.rowsBefore);
  buffer.writeFloat64(start + 32, records.timeMs);
  buffer.writeUint32(start + 40, recordCount);
  buffer.writeUint32(start + 44, records.failures.length / 2);
}

/** Where the columns of a record lie in the spool. */
export interface SpoolPlace {
  readonly position: number;
  readonly length: number;
}

/** Appends one or more records as `writeRecordFrame` does, but for their columns. */
export function writeSpooledFrame(buffer: FrameBuffer, records: FrameRecords, { position, length }: SpoolPlace): void {
  const start = buffer.reserve(spooledHeaderBytes);
  writeRecordFrame(buffer, records, []);
  buffer.writeHead(start, buffer.length - start, frameKind.spooled);
  buffer.writeFloat64(start + 8, position);
  buffer.writeUint32(start + 16, length);
  buffer.writeUint32(start + 20, 0);
}

export function appendColumns(buffer: FrameBuffer, columns: readonly Pick<Column, 'values' | 'offsets'>[]): void {
  for (const { values, offsets } of columns) {
    if (offsets !== undefined) buffer.appendArray(offsets);
    if (ArrayBuffer.isView(values)) buffer.appendArray(values);
    else buffer.appendStrings(values);
  }
}
