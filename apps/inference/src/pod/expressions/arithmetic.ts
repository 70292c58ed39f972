import type { ColumnType } from '@pademelon/contracts';
import type { Arithmetic } from '@pademelon/domain/expressions';
import { isBigType } from '../typed-values.ts';
import { ExpressionMisfit, type RowValue, type ScalarOperand, scalar, type ValueType } from './operand.ts';
import { commonType, convertOperand, isFloat, isNumeric } from './value-types.ts';

/** null: the operands have no result, as whole numbers divided by 0 have none. */
type Calculate<Value> = (left: Value, right: Value) => Value | null;

const floats: Readonly<Record<Arithmetic, Calculate<number>>> = {
  Plus: (left, right) => left + right,
  Minus: (left, right) => left - right,
  Multiply: (left, right) => left * right,
  TrueDivide: (left, right) => left / right,
  FloorDivide: (left, right) => Math.floor(left / right),
  Modulus: (left, right) => left % right,
};

const integers: Readonly<Partial<Record<Arithmetic, Calculate<number>>>> = {
  Multiply: Math.imul,
  FloorDivide: (left, right) => (right === 0 ? null : Math.floor(left / right)),
  Modulus: (left, right) => (right === 0 ? null : left % right),
};

const bigIntegers: Readonly<Partial<Record<Arithmetic, Calculate<bigint>>>> = {
  Plus: (left, right) => left + right,
  Minus: (left, right) => left - right,
  Multiply: (left, right) => left * right,
  FloorDivide: (left, right) => (right === 0n ? null : floorDivide(left, right)),
  Modulus: (left, right) => (right === 0n ? null : left % right),
};

/** Results beyond a whole-number type's range wrap around, as those of polars do. */
const wraps: Readonly<Partial<Record<ColumnType, (value: never) => number | bigint>>> = {
  float32: Math.fround,
  int8: (value: number) => (value << 24) >> 24,
  int16: (value: number) => (value << 16) >> 16,
  int32: (value: number) => value | 0,
  int64: (value: bigint) => BigInt.asIntN(64, value),
  uint8: (value: number) => value & 0xff,
  uint16: (value: number) => value & 0xffff,
  uint32: (value: number) => value >>> 0,
  uint64: (value: bigint) => BigInt.asUintN(64, value),
};

export function compileArithmetic(operator: Arithmetic, left: ScalarOperand, right: ScalarOperand): ScalarOperand {
  const type = resultType(operator, left, right);
  if (type === 'null') return scalar('null', () => null);
  if (type === 'utf8') return joinTexts(left, right);
  const calculate = calculation(operator, type);
  const { at: leftAt } = convertOperand(left, type);
  const { at: rightAt } = convertOperand(right, type);
  return scalar(type, (row) => {
    const leftValue = leftAt(row);
    const rightValue = rightAt(row);
    return leftValue === null || rightValue === null ? null : calculate(leftValue, rightValue);
  });
}

function resultType(operator: Arithmetic, left: ScalarOperand, right: ScalarOperand): ValueType {
  const type = commonType(left, right);
  // Truth values count as 0 and 1 among numbers; a sum of nothing but truth values is how many hold.
  if (type === 'bool' && operator === 'Plus') return 'uint32';
  const takesType = type === 'utf8' ? operator === 'Plus' : isNumeric(type) || type === 'null';
  if (!takesType) throw new ExpressionMisfit(`calculates ${operator} of ${type} values`);
  return operator === 'TrueDivide' && isNumeric(type) && !isFloat(type) ? 'float64' : type;
}

function calculation(operator: Arithmetic, type: ColumnType): (left: RowValue, right: RowValue) => RowValue {
  const calculate = (chooseTable(type)[operator] ?? floats[operator]) as Calculate<unknown>;
  const wrap = wraps[type] as ((value: unknown) => number | bigint) | undefined;
  if (wrap === undefined) return calculate as (left: RowValue, right: RowValue) => RowValue;
  return (left, right) => {
    const result = calculate(left, right);
    return result === null ? null : wrap(result);
  };
}

function chooseTable(type: ColumnType): Readonly<Partial<Record<Arithmetic, unknown>>> {
  if (isFloat(type)) return floats;
  return isBigType(type) ? bigIntegers : integers;
}

function floorDivide(left: bigint, right: bigint): bigint {
  const quotient = left / right;
  return left % right !== 0n && left < 0n !== right < 0n ? quotient - 1n : quotient;
}

function joinTexts(left: ScalarOperand, right: ScalarOperand): ScalarOperand {
  return scalar('utf8', (row) => {
    const leftText = left.at(row);
    const rightText = right.at(row);
    return leftText === null || rightText === null ? null : `${leftText as string}${rightText as string}`;
  });
}
