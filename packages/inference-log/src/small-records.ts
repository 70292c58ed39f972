import { type Column, numberArrays } from '@pademelon/contracts';
import type { FrameBuffer } from './frame-buffer.ts';
import type { LogRecord } from './log-record.ts';
import { writeRecordFrame } from './write-record-frame.ts';

const maxRecords = 256;

type PlainType = keyof typeof numberArrays;
type Values = InstanceType<(typeof numberArrays)[PlainType]>;

/**
 * Records that will share a frame: of one schema without strings and ragged columns, of one moment, and none missing
 * between them. What each costs the host is mostly what a frame costs it, so frames of many are much cheaper.
 */
export class SmallRecords {
  #schemaId = -1;
  #timeMs = 0;
  #recordsBefore = 0;
  #rowsBefore = 0;
  #count = 0;
  #rowCount = 0;
  #columns: GrowingValues[] = [];
  readonly #rowCounts = new Uint32Array(maxRecords);
  readonly #requestNs = new Float64Array(maxRecords);
  readonly #modelsNs = new Float64Array(maxRecords);
  readonly #failures: number[] = [];

  /** Bytes of the values that wait. */
  bytes = 0;

  /** Whether the next record, the one after so many, can join those that wait. */
  takes(schemaId: number, timeMs: number, recordsBefore: number): boolean {
    if (this.#count === 0) return true;
    if (this.#count === maxRecords || this.#schemaId !== schemaId || this.#timeMs !== timeMs) return false;
    return this.#recordsBefore + this.#count === recordsBefore;
  }

  /** Copies the record in; `failures` are row and check in turns. */
  add(record: LogRecord, { schemaId, recordsBefore, rowsBefore, columns, failures, bytes }: SmallRecord): void {
    if (this.#count === 0) {
      if (this.#schemaId !== schemaId) this.#columns = columns.map(({ type }) => new GrowingValues(type as PlainType));
      this.#schemaId = schemaId;
      this.#timeMs = record.timeMs;
      this.#recordsBefore = recordsBefore;
      this.#rowsBefore = rowsBefore;
    }
    for (let i = 0; i < columns.length; i++) this.#columns[i]!.append(columns[i]!.values as Values);
    for (let i = 0; i < failures.length; i += 2) {
      this.#failures.push(failures[i]! + this.#rowCount, failures[i + 1]!);
    }
    this.#rowCounts[this.#count] = record.rowCount;
    this.#requestNs[this.#count] = record.elapsedNs[0];
    this.#modelsNs[this.#count] = record.elapsedNs[1];
    this.#count++;
    this.#rowCount += record.rowCount;
    this.bytes += bytes;
  }

  /** Writes those that wait, if any, as a frame. */
  writeTo(buffer: FrameBuffer): void {
    const count = this.#count;
    if (count === 0) return;
    const records = {
      schemaId: this.#schemaId,
      timeMs: this.#timeMs,
      recordsBefore: this.#recordsBefore,
      rowsBefore: this.#rowsBefore,
      rowCount: this.#rowCount,
      rowCounts: this.#rowCounts.subarray(0, count),
      requestNs: this.#requestNs.subarray(0, count),
      modelsNs: this.#modelsNs.subarray(0, count),
      failures: Uint32Array.from(this.#failures),
    };
    writeRecordFrame(buffer, records, this.#columns);
    this.#clear();
  }

  #clear(): void {
    this.#count = 0;
    this.#rowCount = 0;
    this.#failures.length = 0;
    this.bytes = 0;
    for (const column of this.#columns) column.clear();
  }

  /** For a new connection, where numbers of schemas start again. */
  forgetSchema(): void {
    this.#clear();
    this.#schemaId = -1;
  }
}

interface SmallRecord {
  readonly schemaId: number;
  readonly recordsBefore: number;
  readonly rowsBefore: number;
  readonly columns: readonly Column[];
  readonly failures: readonly number[];
  /** Of the values of all columns. */
  readonly bytes: number;
}

class GrowingValues {
  #all: Values;
  #length = 0;

  constructor(type: PlainType) {
    this.#all = new numberArrays[type](256);
  }

  get values(): Values {
    return this.#all.subarray(0, this.#length);
  }

  append(values: Values): void {
    const { length } = values;
    if (this.#length + length > this.#all.length) this.#grow(this.#length + length);
    this.#all.set(values as never, this.#length);
    this.#length += length;
  }

  clear(): void {
    this.#length = 0;
  }

  #grow(needed: number): void {
    const ofType = this.#all.constructor as new (length: number) => Values;
    const grown = new ofType(Math.max(this.#all.length * 2, needed));
    grown.set(this.values as never);
    this.#all = grown;
  }
}
