import {
  helloHeaderBytes,
  owedHeaderBytes,
  padTo8,
  recordHeaderBytes,
  schemaHeaderBytes,
  valueBytes,
  valuesPerRow,
} from './frame-layout.ts';
import type { LogColumnShape, LogOrigin, LogSchema } from './log-record.ts';

/** A schema frame as the host keeps it. */
export interface ReceivedSchema extends LogSchema {
  /** Equal for schemas, of any pod, whose records may share a batch. */
  readonly groupKey: string;
}

/** A record frame whose header was read; the values stay in the frame until the batch is built. */
export interface ReceivedRecord {
  readonly schema: ReceivedSchema;
  readonly frame: Buffer;
  readonly rowCount: number;
  /** Records and rows that the pod had handed over before this one. */
  readonly recordsBefore: number;
  readonly rowsBefore: number;
  readonly timeMs: number;
  readonly elapsedNs: readonly [number, number];
  readonly failureCount: number;
}

/** A frame that no pod of ours sends: the connection is closed. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

export function readHelloFrame(frame: Buffer): Pick<LogOrigin, 'podId' | 'pipelineId'> {
  const textLength = frame.readUInt32LE(8);
  if (helloHeaderBytes + textLength > frame.length) throw new FrameError('A hello frame is shorter than its text.');
  return JSON.parse(frame.toString('utf8', helloHeaderBytes, helloHeaderBytes + textLength));
}

export function readSchemaFrame(frame: Buffer): { id: number; schema: ReceivedSchema } {
  const textLength = frame.readUInt32LE(12);
  if (schemaHeaderBytes + textLength > frame.length) throw new FrameError('A schema frame is shorter than its text.');
  const schema = JSON.parse(frame.toString('utf8', schemaHeaderBytes, schemaHeaderBytes + textLength)) as LogSchema;
  const { podId: _, ...shared } = schema;
  return { id: frame.readUInt32LE(8), schema: { ...schema, groupKey: JSON.stringify(shared) } };
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

export function readRecordFrame(frame: Buffer, schema: ReceivedSchema): ReceivedRecord {
  const record: ReceivedRecord = {
    schema,
    frame,
    rowCount: frame.readUInt32LE(12),
    recordsBefore: frame.readDoubleLE(16),
    rowsBefore: frame.readDoubleLE(24),
    timeMs: frame.readDoubleLE(32),
    elapsedNs: [frame.readDoubleLE(40), frame.readDoubleLE(48)],
    failureCount: frame.readUInt32LE(56),
  };
  if (record.rowCount === 0) throw new FrameError('A record frame has no rows.');
  let at = valuesStart(record);
  for (const column of schema.columns) at += measureColumn(record, column, at).bytes;
  if (at !== frame.length)
    throw new FrameError(`A record frame has ${frame.length} bytes where its columns take ${at}.`);
  return record;
}

export function valuesStart(record: ReceivedRecord): number {
  return recordHeaderBytes + record.failureCount * 8;
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

/** How much of the frame a column takes that starts at `at`. */
export function measureColumn(record: ReceivedRecord, column: LogColumnShape, at: number): ColumnExtent {
  const { frame, rowCount } = record;
  let valuesAt = at;
  let valueCount = column.isRagged ? 0 : rowCount * valuesPerRow(column.rowShape);
  if (column.isRagged) {
    valuesAt += padTo8((rowCount + 1) * 4);
    valueCount = readOffset(frame, at + rowCount * 4);
  }
  if (column.type !== 'utf8') {
    const bytes = valueCount * valueBytes[column.type];
    return { bytes: valuesAt - at + padTo8(bytes), valueCount, valuesAt, valueBytes: bytes };
  }
  const textAt = valuesAt + padTo8((valueCount + 1) * 4);
  const bytes = readOffset(frame, valuesAt + valueCount * 4);
  return { bytes: textAt - at + padTo8(bytes), valueCount, valuesAt, valueBytes: bytes };
}

function readOffset(frame: Buffer, at: number): number {
  if (at + 4 > frame.length) throw new FrameError('A record frame ends within the offsets of a column.');
  return frame.readUInt32LE(at);
}
