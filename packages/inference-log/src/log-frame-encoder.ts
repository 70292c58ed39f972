import type { Column } from '@pademelon/contracts';
import { FrameBuffer } from './frame-buffer.ts';
import {
  frameKind,
  maxFrameBytes,
  owedHeaderBytes,
  padTo8,
  schemaHeaderBytes,
  tallyBytes,
  textHeaderBytes,
  valuesPerRow,
} from './frame-layout.ts';
import type { LogModel, LogOrigin, LogRecord, LogSchema } from './log-record.ts';
import { type LogSpool, spoolBytes } from './log-spool.ts';
import { SmallRecords } from './small-records.ts';
import {
  appendColumns,
  type FrameRecords,
  type SpoolPlace,
  writeRecordFrame,
  writeSpooledFrame,
} from './write-record-frame.ts';

interface KnownSchema {
  readonly id: number;
  readonly columns: readonly Column[];
  readonly lastModel: LogModel;
  readonly dropped: readonly string[];
  /** No strings and no ragged columns: records can be put together by putting their values together. */
  readonly isPlain: boolean;
}

/** Of values: copying larger ones twice would cost more than a frame of their own. */
const smallRecordBytes = 4 * 1024;
/** Of columns: smaller ones are through the socket in no time. */
const leastSpooledBytes = 16 * 1024;
const maxSpareBytes = 4 * 1024 * 1024;

export interface LogFrameEncoderOptions {
  /** A record whose values are larger is logged without its largest columns, whose names stand in `dropped`. */
  readonly maxRecordBytes?: number;
}

/**
 * Turns log records into frames in one growing buffer: append what an event-loop tick brings, then take it all. Counts
 * every record and row, also those skipped, so that the host sees each gap and its exact size.
 */
export class LogFrameEncoder {
  readonly #origin: LogOrigin;
  readonly #maxRecordBytes: number;
  readonly #checkNumbers: ReadonlyMap<string, number>;
  #schemas: KnownSchema[] = [];
  #last: KnownSchema | null = null;
  #buffer = new FrameBuffer();
  #spare: FrameBuffer | null = null;
  readonly #small = new SmallRecords();
  #spool: LogSpool | null = null;
  #records = 0;
  #rows = 0;

  constructor(origin: LogOrigin, options: LogFrameEncoderOptions = {}) {
    this.#origin = origin;
    this.#maxRecordBytes = options.maxRecordBytes ?? 16 * 1024 * 1024;
    this.#checkNumbers = new Map(origin.checks.map((name, number) => [name, number]));
    this.#appendHello();
  }

  /** Records appended or skipped since the encoder was made. */
  get records(): number {
    return this.#records;
  }

  /** Rows appended or skipped since the encoder was made. */
  get rows(): number {
    return this.#rows;
  }

  get pendingBytes(): number {
    return this.#buffer.length + this.#small.bytes;
  }

  /**
   * Copies the record in; its arrays may be reused afterwards. False when it was skipped: it would take more bytes than
   * a frame may have, or the spool is full. Throws RangeError when a column has the wrong length; such a record does not
   * count.
   */
  append(record: LogRecord): boolean {
    let { columns } = record;
    let dropped = record.dropped ?? noDropped;
    let bytes = columnsBytes(columns);
    if (bytes > this.#maxRecordBytes) {
      const [kept, tooLarge] = withoutLargest(columns, this.#maxRecordBytes);
      columns = kept;
      dropped = [...dropped, ...tooLarge];
      bytes = columnsBytes(columns);
    }
    for (const column of columns) checkLength(column, record.rowCount);
    const facts = { lastModel: record.lastModel, dropped };
    const schema = this.#findSchema(columns, facts) ?? this.#addSchema(columns, facts);
    const isFrame =
      schema.isPlain && bytes <= smallRecordBytes
        ? this.#addSmall(schema.id, record, columns, bytes)
        : this.#writeFrame(schema, record, columns, bytes);
    this.#records++;
    this.#rows += record.rowCount;
    return isFrame;
  }

  /** Counts a record that is not handed over because the host does not keep up. */
  skip(rowCount: number): void {
    this.#records++;
    this.#rows += rowCount;
  }

  /** Appends the counts so far, for a host that would otherwise not learn of skipped records until the next one. */
  appendTally(): void {
    this.#small.writeTo(this.#buffer);
    const at = this.#buffer.reserve(tallyBytes);
    this.#buffer.writeHead(at, tallyBytes, frameKind.tally);
    this.#buffer.writeFloat64(at + 8, this.#records);
    this.#buffer.writeFloat64(at + 16, this.#rows);
  }

  /** Appends how many records, and rows of them, have been answered and will be appended later. */
  appendOwed(records: number, rows: number): void {
    this.#small.writeTo(this.#buffer);
    const podId = Buffer.from(this.#origin.podId);
    const length = padTo8(owedHeaderBytes + podId.length);
    const at = this.#buffer.reserve(length);
    this.#buffer.writeHead(at, length, frameKind.owed);
    this.#buffer.writeFloat64(at + 8, records);
    this.#buffer.writeFloat64(at + 16, rows);
    this.#buffer.writeUint32(at + 24, this.#origin.pipelineId);
    this.#buffer.writeUint32(at + 28, podId.length);
    this.#buffer.writeBytes(at + owedHeaderBytes, podId);
  }

  /** From now on large records go through it, until the next `reset`; the caller closes it. */
  useSpool(spool: LogSpool): void {
    this.#appendText(frameKind.spool, spool.id);
    this.#spool = spool;
  }

  /** All frames appended since the last take. The bytes stay as they are until given to `recycle`. */
  take(): Buffer {
    this.#small.writeTo(this.#buffer);
    const frames = this.#buffer.content();
    this.#buffer = this.#spare ?? new FrameBuffer();
    this.#spare = null;
    return frames;
  }

  /** Lets the encoder write over bytes that it once handed out; memory of an unusually large tick is let go. */
  recycle(frames: Buffer): void {
    if (frames.buffer.byteLength <= maxSpareBytes) this.#spare ??= FrameBuffer.over(frames);
  }

  /** For a new connection: pending frames are gone (their records stay counted) and schemas are sent again. */
  reset(): void {
    this.#spool = null;
    this.#buffer.clear();
    this.#small.forgetSchema();
    this.#schemas = [];
    this.#last = null;
    this.#appendHello();
  }

  /** Without it the host could not tell whose tally follows before the first schema. */
  #appendHello(): void {
    const { podId, pipelineId } = this.#origin;
    this.#appendText(frameKind.hello, JSON.stringify({ podId, pipelineId }));
  }

  #appendText(kind: number, content: string): void {
    const text = Buffer.from(content);
    const length = padTo8(textHeaderBytes + text.length);
    const at = this.#buffer.reserve(length);
    this.#buffer.writeHead(at, length, kind);
    this.#buffer.writeUint32(at + 8, text.length);
    this.#buffer.writeUint32(at + 12, 0);
    this.#buffer.writeBytes(at + textHeaderBytes, text);
  }

  #findSchema(columns: readonly Column[], facts: RecordFacts): KnownSchema | null {
    if (this.#last !== null && describes(this.#last, columns, facts)) return this.#last;
    const schema = this.#schemas.find((known) => describes(known, columns, facts)) ?? null;
    if (schema !== null) this.#last = schema;
    return schema;
  }

  #addSchema(columns: readonly Column[], { lastModel, dropped }: RecordFacts): KnownSchema {
    const id = this.#schemas.length;
    const shapes = columns.map(({ name, type, rowShape, offsets }) => ({
      name,
      type,
      rowShape,
      isRagged: offsets !== undefined,
    }));
    const schema: LogSchema = { ...this.#origin, columns: shapes, lastModel, dropped };
    const text = Buffer.from(JSON.stringify(schema));
    const length = padTo8(schemaHeaderBytes + text.length);
    const at = this.#buffer.reserve(length);
    this.#buffer.writeHead(at, length, frameKind.schema);
    this.#buffer.writeUint32(at + 8, id);
    this.#buffer.writeUint32(at + 12, text.length);
    this.#buffer.writeBytes(at + schemaHeaderBytes, text);
    // Values are not kept alive: only what `describes` compares.
    const isPlain = columns.every(({ type, offsets }) => type !== 'utf8' && offsets === undefined);
    const known: KnownSchema = { id, lastModel, dropped, columns: columns.map(withoutValues), isPlain };
    this.#schemas.push(known);
    this.#last = known;
    return known;
  }

  #addSmall(schemaId: number, record: LogRecord, columns: readonly Column[], bytes: number): true {
    if (!this.#small.takes(schemaId, record.timeMs, this.#records)) this.#small.writeTo(this.#buffer);
    const before = { recordsBefore: this.#records, rowsBefore: this.#rows };
    this.#small.add(record, { schemaId, ...before, columns, failures: this.#failuresOf(record), bytes });
    return true;
  }

  #writeFrame({ id, isPlain }: KnownSchema, record: LogRecord, columns: readonly Column[], bytes: number): boolean {
    this.#small.writeTo(this.#buffer);
    const records: FrameRecords = {
      schemaId: id,
      timeMs: record.timeMs,
      recordsBefore: this.#records,
      rowsBefore: this.#rows,
      rowCount: record.rowCount,
      rowCounts: Uint32Array.of(record.rowCount),
      requestNs: Float64Array.of(record.elapsedNs[0]),
      modelsNs: Float64Array.of(record.elapsedNs[1]),
      failures: Uint32Array.from(this.#failuresOf(record)),
    };
    const start = this.#buffer.length;
    const place = bytes < leastSpooledBytes ? 'unspooled' : this.#spoolColumns(columns, isPlain);
    if (place === 'full') return false;
    if (place === 'unspooled') writeRecordFrame(this.#buffer, records, columns);
    else writeSpooledFrame(this.#buffer, records, place);
    const isFrame = this.#buffer.length - start <= maxFrameBytes;
    if (!isFrame) this.#buffer.length = start;
    return isFrame;
  }

  /** `full` while the host has not made room; `unspooled` where they have to go through the socket. */
  #spoolColumns(columns: readonly Column[], isPlain: boolean): SpoolPlace | 'full' | 'unspooled' {
    if (this.#spool === null) return 'unspooled';
    const start = this.#buffer.length;
    let pieces: readonly NodeJS.ArrayBufferView[];
    if (isPlain) {
      pieces = paddedValues(columns);
    } else {
      appendColumns(this.#buffer, columns);
      pieces = [this.#buffer.content().subarray(start)];
      this.#buffer.length = start;
    }
    const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (length > spoolBytes) return 'unspooled';
    try {
      const position = this.#spool.write(pieces, length);
      return position === null ? 'full' : { position, length };
    } catch {
      // Out of memory to share: these and all others go through the socket.
      this.#spool = null;
      return 'unspooled';
    }
  }

  /** Row and check in turns, in the order of rows. */
  #failuresOf({ checkFailures }: LogRecord): readonly number[] {
    if (checkFailures === null) return noFailures;
    const failures: number[] = [];
    checkFailures.forEach((names, row) => {
      for (const name of names) {
        const check = this.#checkNumbers.get(name);
        if (check !== undefined) failures.push(row, check);
      }
    });
    return failures;
  }
}

type RecordFacts = Pick<KnownSchema, 'lastModel' | 'dropped'>;

const noDropped: readonly never[] = [];
const noFailures: readonly never[] = [];

function describes(
  schema: KnownSchema,
  columns: readonly Column[],
  { lastModel: model, dropped }: RecordFacts,
): boolean {
  const known = schema.columns;
  if (known.length !== columns.length || !isSameList(schema.dropped, dropped)) return false;
  if (schema.lastModel !== model && (schema.lastModel.name !== model.name || schema.lastModel.sha !== model.sha)) {
    return false;
  }
  for (let i = 0; i < known.length; i++) {
    const a = known[i]!;
    const b = columns[i]!;
    if (a.name !== b.name || a.type !== b.type || (a.offsets === undefined) !== (b.offsets === undefined)) return false;
    if (a.rowShape !== b.rowShape && !isSameList(a.rowShape, b.rowShape)) return false;
  }
  return true;
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

const noOffsets = new Int32Array(0);

function withoutValues(column: Column): Column {
  const { name, type, rowShape } = column;
  return column.offsets === undefined
    ? { name, type, rowShape, values: [] }
    : { name, type, rowShape, values: [], offsets: noOffsets };
}

function checkLength(column: Column, rowCount: number): void {
  const { name, offsets, values, rowShape } = column;
  const expected = offsets === undefined ? rowCount * valuesPerRow(rowShape) : offsets[rowCount];
  if (expected !== values.length || (offsets !== undefined && offsets.length !== rowCount + 1)) {
    throw new RangeError(`The log column ${name} has ${values.length} values where ${rowCount} rows need ${expected}.`);
  }
}

const padding = new Uint8Array(8);

/** The values of plain columns as a frame has them, where they are. */
function paddedValues(columns: readonly Column[]): NodeJS.ArrayBufferView[] {
  const pieces: NodeJS.ArrayBufferView[] = [];
  for (const { values } of columns) {
    const view = values as NodeJS.TypedArray;
    pieces.push(view);
    const missing = padTo8(view.byteLength) - view.byteLength;
    if (missing > 0) pieces.push(padding.subarray(0, missing));
  }
  return pieces;
}

function columnsBytes(columns: readonly Column[]): number {
  let bytes = 0;
  for (const column of columns) bytes += columnBytes(column);
  return bytes;
}

/** An upper bound for strings: three bytes for each UTF-16 unit. */
function columnBytes({ values, offsets }: Column): number {
  let bytes = offsets === undefined ? 0 : offsets.byteLength;
  if (ArrayBuffer.isView(values)) return bytes + values.byteLength;
  for (const text of values) bytes += 4 + text.length * 3;
  return bytes;
}

function withoutLargest(columns: readonly Column[], maxBytes: number): [Column[], string[]] {
  const bySize = columns.map((column) => ({ column, bytes: columnBytes(column) })).sort((a, b) => b.bytes - a.bytes);
  let total = bySize.reduce((sum, { bytes }) => sum + bytes, 0);
  const dropped = new Set<Column>();
  for (const { column, bytes } of bySize) {
    if (total <= maxBytes) break;
    dropped.add(column);
    total -= bytes;
  }
  return [columns.filter((column) => !dropped.has(column)), Array.from(dropped, ({ name }) => name)];
}
