import { numberArrays } from '@pademelon/contracts';
import { releaseMemory } from '@pademelon/runtime/release-memory';
import {
  hasRowCounts,
  owedHeaderBytes,
  padTo8,
  recordHeaderBytes,
  schemaHeaderBytes,
  textHeaderBytes,
  valuesPerRow,
} from './frame-layout.ts';
import type { LogColumnShape, LogOrigin, LogSchema } from './log-record.ts';
import type { SpooledBytes } from './log-spool.ts';

/** A schema frame as the host keeps it. */
export interface ReceivedSchema extends LogSchema {
  /** Equal for schemas, of any pod, whose records may share a batch. */
  readonly groupKey: string;
  /** No strings and no ragged columns: the number of rows says how long each column is. */
  readonly isPlain: boolean;
}

/** One or more records of one moment whose header was read; the rest stays where it is until the batch is built. */
export interface RecordFrame {
  readonly schema: ReceivedSchema;
  readonly bytes: Buffer;
  /** What has the columns, from `columnsAt` on: the frame itself, or what the pod has put elsewhere. */
  readonly columns: Buffer | SpooledBytes;
  readonly recordCount: number;
  /** Of all its records. */
  readonly rowCount: number;
  /** Records and rows that the pod had handed over before these. */
  readonly recordsBefore: number;
  readonly rowsBefore: number;
  readonly timeMs: number;
  readonly failureCount: number;
  /** Of frame and columns. */
  readonly size: number;
  /** Where the parts start that not every frame has at the same place. */
  readonly rowCountsAt: number;
  readonly failuresAt: number;
  readonly columnsAt: number;
}

/** A frame that no pod of ours sends: the connection is closed. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function readHelloFrame(frame: Buffer): Pick<LogOrigin, 'podId' | 'pipelineId'> {
  return JSON.parse(readTextFrame(frame));
}

export function readTextFrame(frame: Buffer): string {
  const end = textHeaderBytes + frame.readUInt32LE(8);
  if (end > frame.length) throw new FrameError('A frame is shorter than its text.');
  return frame.toString('utf8', textHeaderBytes, end);
}

export function readSchemaFrame(frame: Buffer): { id: number; schema: ReceivedSchema } {
  const textLength = frame.readUInt32LE(12);
  if (schemaHeaderBytes + textLength > frame.length) throw new FrameError('A schema frame is shorter than its text.');
  const schema = JSON.parse(frame.toString('utf8', schemaHeaderBytes, schemaHeaderBytes + textLength)) as LogSchema;
  const { podId: _, ...shared } = schema;
  const isPlain = schema.columns.every(({ type, isRagged }) => type !== 'utf8' && !isRagged);
  return { id: frame.readUInt32LE(8), schema: { ...schema, groupKey: JSON.stringify(shared), isPlain } };
}

/** Records that a pod has answered and not handed over yet. */
export interface OwedRecords {
  readonly podId: string;
  readonly pipelineId: number;
  readonly records: number;
  readonly rows: number;
}

export function readOwedFrame(frame: Buffer): OwedRecords {
  const end = owedHeaderBytes + frame.readUInt32LE(28);
  if (end > frame.length) throw new FrameError('A frame of owed records is shorter than its text.');
  return {
    podId: frame.toString('utf8', owedHeaderBytes, end),
    pipelineId: frame.readUInt32LE(24),
    records: frame.readDoubleLE(8),
    rows: frame.readDoubleLE(16),
  };
}

/** `columns` are those of a frame that has none itself. Throws FrameError. */
export function readRecordFrame(
  bytes: Buffer,
  schema: ReceivedSchema,
  columns: Buffer | SpooledBytes = bytes,
): RecordFrame {
  if (bytes.length < recordHeaderBytes) throw new FrameError('A record frame is shorter than its header.');
  const rowCount = bytes.readUInt32LE(12);
  const recordCount = bytes.readUInt32LE(40);
  const failureCount = bytes.readUInt32LE(44);
  if (recordCount === 0 || rowCount < recordCount) throw new FrameError('A record frame has records without rows.');
  const rowCountsAt = recordHeaderBytes + recordCount * 16;
  const failuresAt = rowCountsAt + (hasRowCounts(recordCount, rowCount) ? padTo8(recordCount * 4) : 0);
  const recordEnd = failuresAt + failureCount * 8;
  const frame: RecordFrame = {
    schema,
    bytes,
    columns,
    recordCount,
    rowCount,
    recordsBefore: bytes.readDoubleLE(16),
    rowsBefore: bytes.readDoubleLE(24),
    timeMs: bytes.readDoubleLE(32),
    failureCount,
    rowCountsAt,
    failuresAt,
    columnsAt: columns === bytes ? recordEnd : 0,
    size: columns === bytes ? bytes.length : bytes.length + columns.length,
  };
  if (columns !== bytes && recordEnd !== bytes.length) throw new FrameError('A record frame has columns twice.');
  let at = frame.columnsAt;
  for (const column of schema.columns) at += measureColumn(frame, column, at).bytes;
  if (at !== columns.length) {
    throw new FrameError(`A record frame has ${columns.length} bytes where its columns take ${at}.`);
  }
  let rows = 0;
  for (let record = 0; record < recordCount; record++) rows += rowsOf(frame, record);
  if (rows !== rowCount) throw new FrameError('The records of a frame have another number of rows than the frame.');
  return frame;
}

/** How many rows the frame's record of that number has. */
export function rowsOf({ bytes, recordCount, rowCount, rowCountsAt }: RecordFrame, record: number): number {
  if (recordCount === 1) return rowCount;
  return hasRowCounts(recordCount, rowCount) ? bytes.readUInt32LE(rowCountsAt + record * 4) : 1;
}

export interface ColumnExtent {
  /** All bytes of the column in the frame, padding included. */
  readonly bytes: number;
  /** Number of single values in all rows. */
  readonly valueCount: number;
  /** Where in the frame the values, or the byte offsets of strings, start. */
  readonly valuesAt: number;
  /** Bytes of the values without padding; for strings those of the text alone. */
  readonly valueBytes: number;
}

/** How much of the frame's columns one takes that starts at `at`. */
export function measureColumn(frame: RecordFrame, column: LogColumnShape, at: number): ColumnExtent {
  const { rowCount } = frame;
  let valuesAt = at;
  let valueCount = column.isRagged ? 0 : rowCount * valuesPerRow(column.rowShape);
  if (column.isRagged) {
    valuesAt += padTo8((rowCount + 1) * 4);
    valueCount = readOffset(frame, at + rowCount * 4);
  }
  if (column.type !== 'utf8') {
    const length = valueCount * numberArrays[column.type].BYTES_PER_ELEMENT;
    return { bytes: valuesAt - at + padTo8(length), valueCount, valuesAt, valueBytes: length };
  }
  const textAt = valuesAt + padTo8((valueCount + 1) * 4);
  const length = readOffset(frame, valuesAt + valueCount * 4);
  return { bytes: textAt - at + padTo8(length), valueCount, valuesAt, valueBytes: length };
}

function readOffset(frame: RecordFrame, at: number): number {
  const columns = columnBuffer(frame);
  if (at + 4 > columns.length) throw new FrameError('A record frame ends within the offsets of a column.');
  return columns.readUInt32LE(at);
}

/** The columns of a frame that has strings or ragged columns. */
export function columnBuffer({ columns }: RecordFrame): Buffer {
  if (!Buffer.isBuffer(columns)) throw new FrameError('Strings and ragged columns cannot be read where they lie.');
  return columns;
}

/** Gives back the memory of a frame that nobody will look at again. */
export function releaseFrame({ bytes, columns }: RecordFrame): void {
  releaseMemory(bytes);
  if (!Buffer.isBuffer(columns)) columns.letGo();
  else if (columns !== bytes) releaseMemory(columns);
}
