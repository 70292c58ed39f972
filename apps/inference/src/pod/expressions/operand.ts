import type { ColumnType } from '@pademelon/contracts';
import type { ScalarValue } from '@pademelon/domain/expressions';

/** A value of one row; null is polars' null. 64-bit whole numbers are bigints, every other number a number. */
export type RowValue = ScalarValue | null;

/** `null` is the type of a bare `None`, which takes whatever type it meets. */
export type ValueType = ColumnType | 'null';

/** A compiled expression that has one value a row. */
export interface ScalarOperand {
  readonly kind: 'scalar';
  readonly type: ValueType;
  /** Constants as they were written take the type of what they meet, see `commonType`. */
  readonly literal?: RowValue;
  readonly at: (row: number) => RowValue;
}

/** A compiled expression that has a list of values a row, in place in the values of its column. */
export interface ListOperand {
  readonly kind: 'list';
  /** Type of the innermost elements. */
  readonly type: ColumnType;
  /** 1 is a list of values, 2 a list of lists. */
  readonly depth: number;
  /** Place of the row's first value; -1 where the row's list is null. */
  readonly start: (row: number) => number;
  readonly length: (row: number) => number;
  /** How many values each element takes. */
  readonly stride: () => number;
  /** How many elements the lists at this depth below have, 1 being the elements of this list. */
  readonly innerLength: (below: number) => number;
  readonly valueAt: (place: number) => ScalarValue;
}

export type Operand = ScalarOperand | ListOperand;

/** What an expression cannot be made to mean on the columns that it meets; the message continues "The check x …". */
export class ExpressionMisfit extends Error {
  override readonly name = 'ExpressionMisfit';
}

export function scalar(type: ValueType, at: (row: number) => RowValue): ScalarOperand {
  return { kind: 'scalar', type, at };
}

export function constant(type: ValueType, value: RowValue): ScalarOperand {
  return { kind: 'scalar', type, at: () => value };
}

export function requireScalar(operand: Operand, what: string): ScalarOperand {
  if (operand.kind === 'scalar') return operand;
  throw new ExpressionMisfit(`uses ${what} on a list; take a value of it with .list.get(0)`);
}

export function requireList(operand: Operand, what: string): ListOperand {
  if (operand.kind === 'list') return operand;
  throw new ExpressionMisfit(`uses ${what} on a column that has one value a row, not a list; leave .list out`);
}

export function requireBoolean(operand: Operand, what: string): ScalarOperand {
  const value = requireScalar(operand, what);
  if (value.type === 'bool' || value.type === 'null') return value;
  throw new ExpressionMisfit(`uses ${what} on ${value.type} values; it takes truth values`);
}
