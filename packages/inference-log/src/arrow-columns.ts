import type { ColumnType } from '@pademelon/contracts';
import { isStrings, type LogColumn, type LogValues } from '@pademelon/domain';
import {
  Bool,
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  makeData,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from 'apache-arrow';

const types: Record<ColumnType, () => DataType> = {
  float32: () => new Float32(),
  float64: () => new Float64(),
  int8: () => new Int8(),
  int16: () => new Int16(),
  int32: () => new Int32(),
  int64: () => new Int64(),
  uint8: () => new Uint8(),
  uint16: () => new Uint16(),
  uint32: () => new Uint32(),
  uint64: () => new Uint64(),
  bool: () => new Bool(),
  utf8: () => new Utf8(),
};

const columnTypes = new Map(Object.entries(types).map(([name, make]) => [make().toString(), name as ColumnType]));

/**
 * A column as Arrow data, buffers shared where possible. `fixed` lists keep their length in the type, as we store them;
 * `variable` ones are what the SDKs expect of answers.
 */
export function toArrowData(column: LogColumn, rowCount: number, lists: 'fixed' | 'variable'): Data {
  const valueCount = isStrings(column.values) ? column.values.byteOffsets.length - 1 : column.values.length;
  let data = leafData(column.type, column.values, valueCount);
  if (column.offsets !== undefined) return listData(data, rowCount, column.offsets);
  let length = valueCount;
  for (const size of column.rowShape.toReversed()) {
    length = size === 0 ? 0 : length / size;
    data = lists === 'fixed' ? fixedListData(data, size, length) : listData(data, length, everyNth(length, size));
  }
  return data;
}

/** The reverse, for data without nulls. Throws TypeError for a type that no column of ours has. */
export function fromArrowData(name: string, data: Data): LogColumn {
  const rowShape: number[] = [];
  let inner = data;
  let offsets: Int32Array | undefined;
  if (inner.type instanceof List) {
    offsets = offsetsOf(inner);
    inner = inner.children[0]!;
    rowShape.push(-1);
  }
  while (inner.type instanceof FixedSizeList) {
    rowShape.push(inner.type.listSize);
    inner = inner.children[0]!;
  }
  const type = columnTypes.get(inner.type.toString());
  if (type === undefined) throw new TypeError(`The stored column ${name} has the unknown type ${inner.type}.`);
  const values = leafValues(type, inner);
  return offsets === undefined ? { name, type, rowShape, values } : { name, type, rowShape, values, offsets };
}

export function listData(child: Data, length: number, offsets: Int32Array): Data {
  const type = new List(new Field('item', child.type, true));
  return makeData({ type, length, nullCount: 0, valueOffsets: offsets, child });
}

function leafData(type: ColumnType, values: LogValues, length: number): Data {
  const arrowType = types[type]();
  if (isStrings(values)) {
    return makeData({ type: new Utf8(), length, nullCount: 0, valueOffsets: values.byteOffsets, data: values.bytes });
  }
  const data = type === 'bool' ? packBits(values as Uint8Array) : values;
  return makeData({ type: arrowType as Float32, length, nullCount: 0, data: data as Float32Array });
}

function fixedListData(child: Data, size: number, length: number): Data {
  return makeData({ type: new FixedSizeList(size, new Field('item', child.type, false)), length, nullCount: 0, child });
}

function everyNth(length: number, size: number): Int32Array {
  const offsets = new Int32Array(length + 1);
  for (let i = 1; i <= length; i++) offsets[i] = i * size;
  return offsets;
}

function leafValues(type: ColumnType, data: Data): LogValues {
  if (type === 'bool') return unpackBits(data.values as Uint8Array, data.length);
  // Buffers read from Arrow are padded; a column has exactly its values.
  if (type === 'utf8') {
    const byteOffsets = offsetsOf(data);
    return { byteOffsets, bytes: (data.values as Uint8Array).subarray(0, byteOffsets.at(-1)) };
  }
  return (data.values as Float32Array).subarray(0, data.length) as LogValues;
}

function offsetsOf(data: Data): Int32Array {
  return (data.valueOffsets as Int32Array).subarray(0, data.length + 1);
}

function packBits(values: Uint8Array): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 8));
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) bits[i >> 3] = bits[i >> 3]! | (1 << (i & 7));
  return bits;
}

function unpackBits(bits: Uint8Array, length: number): Uint8Array {
  const values = new Uint8Array(length);
  for (let i = 0; i < length; i++) values[i] = (bits[i >> 3]! >> (i & 7)) & 1;
  return values;
}
