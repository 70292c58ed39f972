import type { Column, ColumnType, ColumnValues } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { ArrowBatchCursor, type DecompressionBudget } from './arrow-batch.ts';
import type { ArrowBatch, ArrowField, ArrowFile, ArrowType } from './arrow-file.ts';

/** One record batch's part of a column, taken apart down to its values. */
export interface ColumnPart {
  readonly type: ColumnType;
  readonly rowShape: readonly number[];
  readonly values: ColumnValues;
  readonly offsets?: Int32Array;
}

export interface ColumnLimits {
  readonly budget: DecompressionBudget;
  /** Characters that the strings of a column may have: a dictionary of few bytes can stand for any amount of text. */
  readonly maxTextLength: number;
}

/**
 * The columns of one record batch, numbers without copying where the bytes lie as the processor wants them. Refuses
 * nulls, and types that tensors and the log have no form for. `firstRow` is the number of rows in earlier batches.
 */
export function readBatchColumns(
  file: ArrowFile,
  batch: ArrowBatch,
  limits: ColumnLimits & { firstRow: number },
): ColumnPart[] {
  const cursor = new ArrowBatchCursor(batch, limits.budget);
  return file.fields.map(({ name, type }) => {
    const reader = new PartReader(cursor, file, { ...limits, name });
    return reader.read(type, batch.rowCount, (index) => limits.firstRow + index);
  });
}

type RowOf = (index: number) => number;

/** Reads one column of one batch, from its list nesting down to its values. */
class PartReader {
  readonly #cursor: ArrowBatchCursor;
  readonly #file: ArrowFile;
  readonly #name: string;
  readonly #limits: ColumnLimits;

  constructor(cursor: ArrowBatchCursor, file: ArrowFile, options: ColumnLimits & { name: string }) {
    this.#cursor = cursor;
    this.#file = file;
    this.#name = options.name;
    this.#limits = options;
  }

  /** `count`: values that are needed; `rowOf`: the row that a value belongs to, for messages. */
  read(type: ArrowType, count: number, rowOf: RowOf): ColumnPart {
    if (type.kind === 'unsupported') {
      throw unreadable(this.#name, `has the type ${type.arrowName}; send numbers, booleans, strings or lists of them`);
    }
    const node = this.#cursor.node();
    if (node.length < count) throw unreadable(this.#name, 'is cut short');
    if (node.nullCount > 0) this.#refuseNull(count, rowOf);
    else this.#cursor.skipBuffer();
    switch (type.kind) {
      case 'number':
        return { type: type.type, rowShape: [], values: this.#numbers(type.type, count) };
      case 'float16':
        return { type: 'float32', rowShape: [], values: Float32Array.from(this.#view(Float16Array, 2, count)) };
      case 'bool':
        return { type: 'bool', rowShape: [], values: this.#bits(count) };
      case 'text':
        return { type: 'utf8', rowShape: [], values: this.#text(count, type.isLarge) };
      case 'dictionary':
        return { type: 'utf8', rowShape: [], values: this.#lookUp(type, count) };
      case 'fixed-list':
        return this.#fixedList(type, count, rowOf);
      case 'list':
        return this.#list(type, count, rowOf);
    }
  }

  #fixedList({ item, size }: ArrowType & { kind: 'fixed-list' }, count: number, rowOf: RowOf): ColumnPart {
    const inner = this.read(item, count * size, (index) => rowOf(Math.floor(index / Math.max(1, size))));
    if (inner.offsets !== undefined) throw this.#uneven();
    return { ...inner, rowShape: [size, ...inner.rowShape] };
  }

  #list({ item, isLarge }: ArrowType & { kind: 'list' }, count: number, rowOf: RowOf): ColumnPart {
    const offsets = this.#offsets(count, isLarge);
    const [start, end] = [offsets[0]!, offsets[count]!];
    const inner = this.read(item, end, (index) => rowOf(rowAt(offsets, index)));
    if (inner.offsets !== undefined) throw this.#uneven();
    const width = count === 0 ? 0 : offsets[1]! - start;
    const isRegular = offsets.every((offset, row) => offset === start + row * width);
    const innerWidth = inner.rowShape.reduce((product, dimension) => product * dimension, 1);
    const values = inner.values.slice(start * innerWidth, end * innerWidth) as ColumnValues;
    const exact = start === 0 ? inner.values : values;
    if (isRegular) return { type: inner.type, values: exact, rowShape: [width, ...inner.rowShape] };
    if (inner.rowShape.length > 0) throw this.#uneven();
    return { type: inner.type, values: exact, rowShape: [-1], offsets: offsets.map((offset) => offset - start) };
  }

  #numbers(type: ColumnType, count: number): ColumnValues {
    const [array, width] = numberArrays[type as keyof typeof numberArrays];
    return this.#view(array as typeof Float32Array, width, count);
  }

  #view<T>(array: new (buffer: ArrayBuffer, offset: number, length: number) => T, width: number, count: number): T {
    const bytes = this.#cursor.buffer(width);
    if (bytes.length < count * width) throw unreadable(this.#name, 'is cut short');
    return new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, count);
  }

  #bits(count: number): Uint8Array {
    const bits = this.#cursor.buffer(1);
    if (bits.length * 8 < count) throw unreadable(this.#name, 'is cut short');
    return Uint8Array.from({ length: count }, (_, at) => (bits[at >> 3]! >> (at & 7)) & 1);
  }

  #text(count: number, isLarge: boolean): string[] {
    const offsets = this.#offsets(count, isLarge);
    const bytes = this.#cursor.buffer(1);
    if (bytes.length < offsets[count]!) throw unreadable(this.#name, 'is cut short');
    this.#checkTextLength(offsets[count]! - offsets[0]!);
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, row) => buffer.toString('utf8', offsets[row], offsets[row + 1]));
  }

  #lookUp({ id, index, values }: ArrowType & { kind: 'dictionary' }, count: number): string[] {
    if (values.kind !== 'text' || index.kind !== 'number') {
      throw unreadable(this.#name, 'is a dictionary of something else than strings, which is not supported');
    }
    const indices = this.#numbers(index.type, count) as ArrayLike<number | bigint>;
    const words = (this.#file.dictionaries.get(id) ?? []).flatMap((batch) => {
      const reader = new PartReader(new ArrowBatchCursor(batch, this.#limits.budget), this.#file, {
        ...this.#limits,
        name: this.#name,
      });
      return reader.read(values, batch.rowCount, (at) => at).values as readonly string[];
    });
    let length = 0;
    return Array.from({ length: count }, (_, row) => {
      const word = words[Number(indices[row])];
      if (word === undefined) throw unreadable(this.#name, 'refers to a dictionary entry that does not exist');
      length += word.length;
      this.#checkTextLength(length);
      return word;
    });
  }

  #checkTextLength(length: number): void {
    const most = this.#limits.maxTextLength;
    if (length > most) throw unreadable(this.#name, `holds more than ${most} characters`);
  }

  /** Where each item begins, and the end of the last; never descending. */
  #offsets(count: number, isLarge: boolean): Int32Array {
    if (count === 0) {
      this.#cursor.skipBuffer();
      return new Int32Array(1);
    }
    const raw = isLarge ? this.#view(BigInt64Array, 8, count + 1) : this.#view(Int32Array, 4, count + 1);
    const offsets =
      raw instanceof Int32Array ? raw : Int32Array.from(raw, (offset) => Number(BigInt.asIntN(32, offset)));
    let last = 0;
    for (let at = 0; at <= count; at += 1) {
      if (offsets[at]! < last || BigInt(raw[at]!) !== BigInt(offsets[at]!)) {
        throw unreadable(this.#name, 'has offsets that are out of order');
      }
      last = offsets[at]!;
    }
    return offsets;
  }

  #refuseNull(count: number, rowOf: RowOf): void {
    const valid = this.#cursor.buffer(1);
    for (let index = 0; index < count; index += 1) {
      if ((valid[index >> 3]! >> (index & 7)) & 1) continue;
      throw new DomainError(
        'invalid_input',
        `Row ${rowOf(index)}, column ${JSON.stringify(this.#name)}: the value is null; send a value in every row.`,
      );
    }
  }

  #uneven(): DomainError {
    return unreadable(this.#name, 'has nested lists of differing lengths, which no tensor and no log column can hold');
  }
}

const numberArrays = {
  float32: [Float32Array, 4],
  float64: [Float64Array, 8],
  int8: [Int8Array, 1],
  int16: [Int16Array, 2],
  int32: [Int32Array, 4],
  int64: [BigInt64Array, 8],
  uint8: [Uint8Array, 1],
  uint16: [Uint16Array, 2],
  uint32: [Uint32Array, 4],
  uint64: [BigUint64Array, 8],
} as const;

/** The list that holds the item at `index`. */
function rowAt(offsets: Int32Array, index: number): number {
  let row = 0;
  while (offsets[row + 1]! <= index) row += 1;
  return row;
}

export function unreadable(name: string, claim: string): DomainError {
  return new DomainError('invalid_input', `Column ${JSON.stringify(name)} ${claim}.`);
}

/** Joins the parts of a column; a column whose batches differ in their list lengths becomes one of differing lengths. */
export function joinParts({ name }: ArrowField, parts: readonly ColumnPart[]): Column {
  const first = parts[0]!;
  if (parts.length === 1) return { name, ...first };
  const isRagged = parts.some((part) => part.offsets !== undefined || part.rowShape[0] !== first.rowShape[0]);
  const values = joinValues(parts);
  if (!isRagged) return { name, type: first.type, rowShape: first.rowShape, values };
  if (parts.some((part) => part.rowShape.length !== 1)) {
    throw unreadable(name, 'has nested lists of differing lengths, which no tensor and no log column can hold');
  }
  const offsets = [0];
  for (const part of parts) {
    const base = offsets.at(-1)!;
    const width = part.rowShape[0]!;
    const rows = part.offsets === undefined ? part.values.length / width : part.offsets.length - 1;
    for (let row = 1; row <= rows; row += 1) offsets.push(base + (part.offsets?.[row] ?? row * width));
  }
  return { name, type: first.type, rowShape: [-1], values, offsets: Int32Array.from(offsets) };
}

function joinValues(parts: readonly ColumnPart[]): ColumnValues {
  const first = parts[0]!.values;
  if (!ArrayBuffer.isView(first)) return parts.flatMap((part) => part.values as readonly string[]);
  const length = parts.reduce((sum, part) => sum + part.values.length, 0);
  const joined = new (first.constructor as new (length: number) => Float32Array)(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part.values as Float32Array, at);
    at += part.values.length;
  }
  return joined;
}
