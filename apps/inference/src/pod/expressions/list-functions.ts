import type { ColumnType } from '@pademelon/contracts';
import type { PolarsFunction, ScalarValue } from '@pademelon/domain/expressions';
import { isBigType } from '../typed-values.ts';
import {
  ExpressionMisfit,
  type ListOperand,
  type Operand,
  requireList,
  requireScalar,
  type ScalarOperand,
  scalar,
} from './operand.ts';
import { converter, convertOperand, isFloat, isInteger, superType } from './value-types.ts';

/** null when the function is none of lists. */
export function compileListFunction(name: PolarsFunction, inputs: readonly Operand[]): Operand | null {
  if (!name.startsWith('ListExpr.')) return null;
  const what = `.list.${name.slice('ListExpr.'.length).toLowerCase()}()`;
  const list = requireList(inputs[0]!, what);
  const others = inputs.slice(1).map((input) => requireScalar(input, what));
  switch (name) {
    case 'ListExpr.Get':
      return compileGet(list, requireIndex(others[0]!, what));
    case 'ListExpr.Slice':
      return compileSlice(list, requireIndex(others[0]!, what), requireIndex(others[1]!, what));
    case 'ListExpr.Contains':
      return compileContains(list, others[0]!);
    case 'ListExpr.Length':
      return scalar('uint32', (row) => (list.start(row) < 0 ? null : list.length(row)));
    case 'ListExpr.Any':
    case 'ListExpr.All':
      return compileQuantifier(list, name === 'ListExpr.All');
    default:
      return compileReduction(name, list, what);
  }
}

/** Whether a value is among the list's, which hold no null. NaN is in no list. */
export function compileContains(list: ListOperand, needle: ScalarOperand): ScalarOperand {
  if (list.depth > 1) throw new ExpressionMisfit('looks for a value in a list of lists');
  const type = superType(list.type, needle.type) as ColumnType;
  const { at } = convertOperand(needle, type);
  const convert = converter(list.type, type) as (value: ScalarValue) => ScalarValue;
  return scalar('bool', (row) => {
    const start = list.start(row);
    if (start < 0) return null;
    const value = at(row);
    const end = start + list.length(row);
    for (let place = start; place < end; place += 1) if (convert(list.valueAt(place)) === value) return true;
    return false;
  });
}

/** The element at an index, counted from the end where it is below 0; null beyond the list. */
function compileGet(list: ListOperand, indexAt: (row: number) => number | null): Operand {
  const { start: startOf, length: lengthOf, stride, valueAt } = list;
  const placeAt = (row: number): number => {
    const start = startOf(row);
    const index = indexAt(row);
    if (start < 0 || index === null) return -1;
    const length = lengthOf(row);
    const element = index < 0 ? index + length : index;
    return element >= 0 && element < length ? start + element * stride() : -1;
  };
  if (list.depth === 1) {
    return scalar(list.type, (row) => {
      const place = placeAt(row);
      return place < 0 ? null : valueAt(place);
    });
  }
  return {
    ...list,
    depth: list.depth - 1,
    start: placeAt,
    length: () => list.innerLength(1),
    stride: () => stride() / list.innerLength(1),
    innerLength: (below) => list.innerLength(below + 1),
  };
}

/** A length of null reaches to the end; an offset below 0 counts from the end, and at most back to the start. */
function compileSlice(
  list: ListOperand,
  offsetAt: (row: number) => number | null,
  lengthAt: (row: number) => number | null,
): ListOperand {
  const from = (row: number): number => {
    const offset = offsetAt(row) ?? 0;
    const length = list.length(row);
    return Math.min(offset < 0 ? Math.max(length + offset, 0) : offset, length);
  };
  return {
    ...list,
    start: (row) => (list.start(row) < 0 ? -1 : list.start(row) + from(row) * list.stride()),
    length: (row) => {
      const rest = list.length(row) - from(row);
      return Math.max(Math.min(lengthAt(row) ?? rest, rest), 0);
    },
  };
}

function compileQuantifier(list: ListOperand, isForAll: boolean): ScalarOperand {
  if (list.type !== 'bool' || list.depth > 1) {
    throw new ExpressionMisfit(`asks whether ${isForAll ? 'all' : 'any'} of a list of ${list.type} values hold`);
  }
  return scalar('bool', (row) => {
    const start = list.start(row);
    if (start < 0) return null;
    const end = start + list.length(row);
    for (let place = start; place < end; place += 1) if (list.valueAt(place) !== isForAll) return !isForAll;
    return isForAll;
  });
}

/** Sum, least, greatest or mean of a row's numbers, in the types that polars 0.18 gives them. */
function compileReduction(name: PolarsFunction, list: ListOperand, what: string): ScalarOperand {
  if (list.depth > 1 || list.type === 'utf8' || list.type === 'bool') {
    const found = list.depth > 1 ? 'lists' : `${list.type} values`;
    throw new ExpressionMisfit(`uses ${what} on a list of ${found}; it takes numbers`);
  }
  const { type, reduce } = reduction(name, list.type);
  return scalar(type, (row) => {
    const start = list.start(row);
    return start < 0 ? null : reduce(list.valueAt as (place: number) => number, start, start + list.length(row));
  });
}

interface Reduction {
  readonly type: ColumnType;
  readonly reduce: (valueAt: (place: number) => number, start: number, end: number) => number | bigint | null;
}

function reduction(name: PolarsFunction, element: ColumnType): Reduction {
  switch (name) {
    case 'ListExpr.Max':
      return { type: element, reduce: (valueAt, start, end) => extreme(valueAt, start, end, (a, b) => a > b) };
    case 'ListExpr.Min':
      return { type: element, reduce: (valueAt, start, end) => extreme(valueAt, start, end, (a, b) => a < b) };
    case 'ListExpr.Mean': {
      const round = element === 'float32' ? Math.fround : Number;
      const type = element === 'float32' ? 'float32' : 'float64';
      const mean: Reduction['reduce'] = (valueAt, start, end) => round(sum(valueAt, start, end) / (end - start));
      return { type, reduce: (...range) => (range[1] === range[2] ? null : mean(...range)) };
    }
    default:
      return sumReduction(element);
  }
}

function sumReduction(element: ColumnType): Reduction {
  if (isFloat(element)) {
    const round = element === 'float32' ? Math.fround : Number;
    return { type: element, reduce: (...range) => round(sum(...range)) };
  }
  const type = isSmall(element) ? 'int64' : element;
  const wrapped = wholeSum(type);
  return { type, reduce: (...range) => wrapped(bigSum(...range)) };
}

/** Sums of whole numbers below 32 bits are int64; wider ones keep their type and wrap around in it. */
function isSmall(type: ColumnType): boolean {
  return isInteger(type) && /^u?int(8|16)$/.test(type);
}

function wholeSum(type: ColumnType): (total: bigint) => number | bigint {
  const bits = type.endsWith('64') ? 64 : 32;
  const wrap = (total: bigint) => (type.startsWith('u') ? BigInt.asUintN(bits, total) : BigInt.asIntN(bits, total));
  return isBigType(type) ? wrap : (total) => Number(wrap(total));
}

function sum(valueAt: (place: number) => number | bigint, start: number, end: number): number {
  let total = 0;
  for (let place = start; place < end; place += 1) total += Number(valueAt(place));
  return total;
}

function bigSum(valueAt: (place: number) => number | bigint, start: number, end: number): bigint {
  let total = 0n;
  for (let place = start; place < end; place += 1) total += BigInt(valueAt(place));
  return total;
}

/** NaN only where there is nothing else; null of an empty list. */
function extreme(
  valueAt: (place: number) => number,
  start: number,
  end: number,
  isBeyond: (value: number, other: number) => boolean,
): number | null {
  let found: number | null = null;
  for (let place = start; place < end; place += 1) {
    const value = valueAt(place);
    if (found === null || Number.isNaN(found) || isBeyond(value, found)) found = value;
  }
  return found;
}

function requireIndex({ type, at, literal }: ScalarOperand, what: string): (row: number) => number | null {
  if (type !== 'null' && !isInteger(type)) {
    throw new ExpressionMisfit(`uses ${what} with a ${type}; it takes a whole number`);
  }
  if (literal !== undefined) {
    const index = literal === null ? null : Number(literal);
    return () => index;
  }
  return (row) => {
    const index = at(row);
    return index === null ? null : Number(index);
  };
}
