import type { ColumnType } from '@pademelon/contracts';
import { integerRanges, isBigType } from '../typed-values.ts';
import { ExpressionMisfit, type ScalarOperand, type ValueType } from './operand.ts';

const signedBits: Partial<Record<ValueType, number>> = { int8: 8, int16: 16, int32: 32, int64: 64 };
const unsignedBits: Partial<Record<ValueType, number>> = { uint8: 8, uint16: 16, uint32: 32, uint64: 64 };

export function isFloat(type: ValueType): type is 'float32' | 'float64' {
  return type === 'float32' || type === 'float64';
}

export function isInteger(type: ValueType): boolean {
  return integerRanges[type as ColumnType] !== undefined;
}

export function isNumeric(type: ValueType): boolean {
  return isFloat(type) || isInteger(type);
}

/**
 * The type in which two operands meet, as polars 0.18 decides it for arithmetic, comparisons and choices: a constant
 * takes the type of a column that can hold it (`float32 column < 0.9` compares as float32), else the smallest type that
 * holds both. Throws ExpressionMisfit when there is none.
 */
export function commonType(left: ScalarOperand, right: ScalarOperand): ValueType {
  const isLeftLiteral = left.literal !== undefined;
  const isRightLiteral = right.literal !== undefined;
  if (isLeftLiteral === isRightLiteral) return superType(left.type, right.type);
  return isLeftLiteral ? typeWithLiteral(right.type, left) : typeWithLiteral(left.type, right);
}

function typeWithLiteral(type: ValueType, { type: literalType, literal }: ScalarOperand): ValueType {
  if (type === 'float32' && isNumeric(literalType) && literalType !== 'uint64') return 'float32';
  if (isInteger(type) && isInteger(literalType) && holds(type as ColumnType, literal as number | bigint)) return type;
  return superType(type, literalType);
}

/** The type in which the inputs of a function meet; polars minds constants only where there are two of them. */
export function typeOfInputs(inputs: readonly ScalarOperand[]): ValueType {
  if (inputs.length === 2) return commonType(inputs[0]!, inputs[1]!);
  return inputs.map(({ type }) => type).reduce(superType);
}

function holds(type: ColumnType, value: number | bigint): boolean {
  const [least, most] = integerRanges[type]!;
  return value >= least && value <= most;
}

/** The smallest type that holds both; whole numbers of 64 bits, and of 32 beside float32, become float64. */
export function superType(left: ValueType, right: ValueType): ValueType {
  if (left === right || right === 'null') return left;
  if (left === 'null') return right;
  if (left === 'utf8' || right === 'utf8') {
    throw new ExpressionMisfit(`brings ${left} and ${right} values together`);
  }
  if (left === 'bool') return right;
  if (right === 'bool') return left;
  if (isFloat(left)) return floatBeside(left, right);
  if (isFloat(right)) return floatBeside(right, left);
  return integerSuperType(left, right);
}

function floatBeside(float: 'float32' | 'float64', other: ValueType): ValueType {
  const isExact = other === 'float32' || (signedBits[other] ?? unsignedBits[other] ?? 64) <= 16;
  return float === 'float32' && isExact ? 'float32' : 'float64';
}

function integerSuperType(left: ValueType, right: ValueType): ValueType {
  const signed = Math.max(signedBits[left] ?? 0, signedBits[right] ?? 0);
  const unsigned = Math.max(unsignedBits[left] ?? 0, unsignedBits[right] ?? 0);
  if (signed === 0) return `uint${unsigned}` as ColumnType;
  if (unsigned === 64) return 'float64';
  return `int${Math.max(signed, unsigned * 2)}` as ColumnType;
}

type Convert = (value: never) => number | bigint | boolean | string;

/** The operand's values as another type that holds them all. */
export function convertOperand(operand: ScalarOperand, type: ValueType): ScalarOperand {
  const { type: from, at, literal } = operand;
  if (from === type || from === 'null' || type === 'null') return { kind: 'scalar', type, at };
  const convert = converter(from, type) as (value: unknown) => number;
  if (literal !== undefined) {
    const value = convert(literal);
    return { kind: 'scalar', type, at: () => value };
  }
  return {
    kind: 'scalar',
    type,
    at: (row) => {
      const value = at(row);
      return value === null ? null : convert(value);
    },
  };
}

/** From one type to one that holds all its values. */
export function converter(from: ColumnType, type: ColumnType): Convert {
  if (from === type) return (value) => value;
  if (isBigType(type)) return (value: number | bigint | boolean) => BigInt(value);
  if (type === 'float32') return (value: number | bigint | boolean) => Math.fround(Number(value));
  return (value: number | bigint | boolean) => Number(value);
}
