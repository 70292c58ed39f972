import type { Column, ColumnType } from '@pademelon/contracts';
import type { Data, DataType } from 'apache-arrow';
import { type AnswerData, type AnswerField, type FieldSource, failedChecks, failureCount } from '../answer-fields.ts';

// Imported when this module is: a static import would move to the top of the pod's bundle and cost every pod 22 MB.
const {
  Bool,
  Field,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableToIPC,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} = await import('apache-arrow');

const numberTypes: Readonly<Record<Exclude<ColumnType, 'bool' | 'utf8'>, new () => DataType>> = {
  float32: Float32,
  float64: Float64,
  int8: Int8,
  int16: Int16,
  int32: Int32,
  int64: Int64,
  uint8: Uint8,
  uint16: Uint16,
  uint32: Uint32,
  uint64: Uint64,
};

/**
 * The values of each field as Arrow data, in the order of the fields. Buffers of numbers are the columns' own. Lists
 * are lists of any length even where all are equally long: data frames are made of those.
 */
export function arrowChildren(fields: readonly AnswerField[], data: AnswerData): Data[] {
  return fields.map(({ source }) => sourceData(source, data));
}

/** An Arrow IPC file of one batch. `separator`: flat names; null: the groups as structs. */
export function encodeArrow(
  fields: readonly AnswerField[],
  children: readonly Data[],
  { rowCount, separator }: { rowCount: number; separator: string | null },
): Uint8Array {
  const named =
    separator === null
      ? groupStructs(fields, children, rowCount)
      : fields.map(({ group, name }, index) => {
          return { name: group === null ? name : `${group}${separator}${name}`, data: children[index]! };
        });
  const schema = new Schema(named.map(({ name, data }) => new Field(name, data.type, true)));
  const type = new Struct(schema.fields);
  const data = makeData({ type, length: rowCount, nullCount: 0, children: named.map((field) => field.data) });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), 'file');
}

interface NamedData {
  readonly name: string;
  readonly data: Data;
}

function groupStructs(fields: readonly AnswerField[], children: readonly Data[], rowCount: number): NamedData[] {
  const groups = new Map<string, NamedData[]>();
  const named: NamedData[] = [];
  fields.forEach(({ group, name }, index) => {
    const data = children[index]!;
    if (group === null) named.push({ name, data });
    else groups.set(group, [...(groups.get(group) ?? []), { name, data }]);
  });
  for (const [name, members] of groups) {
    const type = new Struct(members.map((member) => new Field(member.name, member.data.type, true)));
    const data = makeData({ type, length: rowCount, nullCount: 0, children: members.map((member) => member.data) });
    named.push({ name, data });
  }
  return named;
}

function sourceData(source: FieldSource, data: AnswerData): Data {
  const { rowCount } = data.batch;
  switch (source.kind) {
    case 'time':
      return numbers('int64', new BigInt64Array(rowCount).fill(BigInt(data.timeMs)));
    case 'input':
      return columnData(data.batch.columns[source.index]!, rowCount);
    case 'output':
      return columnData(data.outputs[source.index]!, rowCount);
    case 'side':
      return columnData(data.sides[source.side]!.outputs[source.index]!, rowCount);
    case 'failed-checks': {
      const names = Array.from({ length: rowCount }, (_, row) => failedChecks(data.checks, row));
      return listOf(textData(names.flat()), Int32Array.from(runningLengths(names)));
    }
    case 'failure-count':
      return numbers(
        'uint32',
        Uint32Array.from({ length: rowCount }, (_, row) => failureCount(data.checks, row)),
      );
    case 'failure':
      return boolData(data.checks[source.index]!.failures);
    case 'metadata':
      return metadataData(data.metadata[source.name], rowCount);
  }
}

function metadataData(value: string | readonly (string | number)[], rowCount: number): Data {
  if (typeof value === 'string') return textData(new Array<string>(rowCount).fill(value));
  const offsets = evenOffsets(rowCount, value.length);
  if (value.length === 0 || typeof value[0] === 'string') {
    return listOf(textData(new Array<readonly string[]>(rowCount).fill(value as readonly string[]).flat()), offsets);
  }
  const repeated = BigInt64Array.from({ length: rowCount * value.length }, (_, at) =>
    BigInt(value[at % value.length]!),
  );
  return listOf(numbers('int64', repeated), offsets);
}

function columnData(column: Column, rowCount: number): Data {
  const leaf = leafData(column);
  if (column.offsets !== undefined) return listOf(leaf, column.offsets);
  let data = leaf;
  let lists = column.values.length;
  for (const dimension of column.rowShape.toReversed()) {
    lists = dimension === 0 ? rowCount : lists / dimension;
    data = listOf(data, evenOffsets(lists, dimension));
  }
  return data;
}

function leafData({ type, values }: Column): Data {
  if (type === 'utf8') return textData(values as readonly string[]);
  if (type === 'bool') return boolData(values as Uint8Array);
  return numbers(type, values as Float32Array);
}

function numbers(type: keyof typeof numberTypes, values: ArrayLike<number> | ArrayLike<bigint>): Data {
  return makeData({
    type: new numberTypes[type]() as InstanceType<typeof Float32>,
    length: values.length,
    nullCount: 0,
    data: values as Float32Array,
  });
}

function boolData(values: Uint8Array): Data {
  const bits = new Uint8Array((values.length + 7) >> 3);
  for (let at = 0; at < values.length; at += 1) if (values[at] !== 0) bits[at >> 3]! |= 1 << (at & 7);
  return makeData({ type: new Bool(), length: values.length, nullCount: 0, data: bits });
}

function textData(texts: readonly string[]): Data {
  const bytes = texts.map((text) => Buffer.from(text));
  return makeData({
    type: new Utf8(),
    length: texts.length,
    nullCount: 0,
    valueOffsets: Int32Array.from(runningLengths(bytes)),
    data: Buffer.concat(bytes),
  });
}

function listOf(child: Data, valueOffsets: Int32Array): Data {
  const type = new List(new Field('item', child.type, true));
  return makeData({ type, length: valueOffsets.length - 1, nullCount: 0, valueOffsets, child });
}

function evenOffsets(rows: number, width: number): Int32Array {
  const offsets = new Int32Array(rows + 1);
  for (let row = 1; row <= rows; row += 1) offsets[row] = row * width;
  return offsets;
}

function runningLengths(items: readonly { readonly length: number }[]): number[] {
  const offsets = [0];
  for (const item of items) offsets.push(offsets.at(-1)! + item.length);
  return offsets;
}
