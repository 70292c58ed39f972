import type { Column, ColumnType } from '@pademelon/contracts';
import { parseExactJson, parsePolarsExpression } from '@pademelon/domain/expressions';
import { allocateValues, isBigType } from '../typed-values.ts';
import { ColumnSlot } from './column-slot.ts';
import { compilePolars } from './compile-polars.ts';
import { type RowValue, requireScalar, type ValueType } from './operand.ts';
import { isInteger } from './value-types.ts';

/** What fixtures/polars_cases.py prints. */
export interface PolarsCases {
  readonly columns: ReadonlyMap<string, Column>;
  readonly cases: readonly PolarsCase[];
}

export interface PolarsCase {
  /** The JSON text as a Check step holds it. */
  readonly expression: string;
  /** Of the result, in polars' words. */
  readonly type: string;
  readonly values: readonly unknown[];
}

interface ColumnLine {
  readonly column: string;
  readonly type: string;
  readonly values: readonly unknown[];
}

const types: Readonly<Record<string, ValueType>> = {
  Boolean: 'bool',
  Utf8: 'utf8',
  Int8: 'int8',
  Int16: 'int16',
  Int32: 'int32',
  Int64: 'int64',
  UInt8: 'uint8',
  UInt16: 'uint16',
  UInt32: 'uint32',
  UInt64: 'uint64',
  Float32: 'float32',
  Float64: 'float64',
  Null: 'null',
};

export function readPolarsCases(text: string): PolarsCases {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ColumnLine | PolarsCase);
  const columns = lines.filter((line) => 'column' in line).map((line) => [line.column, toColumn(line)] as const);
  return { columns: new Map(columns), cases: lines.filter((line) => 'expression' in line) };
}

/** What is different from polars in our result of a case, null when nothing is. */
export function disagreement({ expression, type, values }: PolarsCase, columns: PolarsCases['columns']): string | null {
  const ours = evaluate(expression, columns);
  if (!isSameKind(ours.type, types[type]!)) return `the type is ${ours.type}, not ${type}`;
  const row = values.findIndex((value, index) => !isSame(ours.values[index]!, expected(value, ours.type)));
  return row < 0 ? null : `row ${row} is ${String(ours.values[row])}, not ${String(values[row])}`;
}

function evaluate(text: string, columns: PolarsCases['columns']): { type: ValueType; values: RowValue[] } {
  const operand = compilePolars(parsePolarsExpression(parseExactJson(text)), (path) => {
    const column = columns.get(path)!;
    const slot = new ColumnSlot(column);
    slot.fill(column);
    return slot.operand;
  });
  const { type, at } = requireScalar(operand, 'a list as a result');
  return { type, values: Array.from({ length: 6 }, (_, row) => at(row)) };
}

/** The planner of polars makes some whole numbers wider than their operands are; only an overflow could tell. */
function isSameKind(ours: ValueType, theirs: ValueType): boolean {
  return ours === theirs || (isInteger(ours) && isInteger(theirs));
}

/** The last digits of what mathematical libraries compute differ. */
function isSame(ours: RowValue, theirs: RowValue): boolean {
  if (typeof ours !== 'number' || typeof theirs !== 'number') return ours === theirs;
  return Object.is(ours, theirs) || ours === theirs || Math.abs(ours - theirs) <= 1e-7 * Math.abs(theirs);
}

function toColumn({ column, type, values }: ColumnLine): Column {
  const name = column.slice(column.indexOf('.') + 1);
  const element = types[type.replace(/^(List\()+/, '').replace(/\)+$/, '')] as ColumnType;
  const flat = values.flat(2).map((value) => expected(value, element));
  const stored = allocateValues(element, flat.length) as RowValue[];
  flat.forEach((value, index) => {
    stored[index] = element === 'bool' ? Number(value) : value;
  });
  const lists = values as readonly unknown[][];
  const isRagged = Array.isArray(values[0]) && lists.some((list) => list.length !== lists[0]!.length);
  const parts = { name, type: element, values: stored as unknown as Column['values'] };
  if (!isRagged) return { ...parts, rowShape: shapeOf(values[0]) };
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, row) => {
    offsets[row + 1] = offsets[row]! + list.length;
  });
  return { ...parts, rowShape: [-1], offsets };
}

function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : [];
}

/** JSON has neither NaN and infinity nor whole numbers of 64 bits: those come as text. */
function expected(value: unknown, type: ValueType): RowValue {
  if (value === null || type === 'utf8' || type === 'bool') return value as RowValue;
  if (isBigType(type as ColumnType)) return BigInt(value as string | number);
  if (typeof value === 'number') return value;
  return value === 'nan' ? Number.NaN : value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value);
}
