import type { ColumnType } from '@pademelon/contracts';
import type { PolarsFunction, PolarsLiteral } from '@pademelon/domain/expressions';
import { integerRanges } from '../typed-values.ts';
import { castValue } from './casts.ts';
import { ExpressionMisfit, type RowValue, type ScalarOperand, scalar } from './operand.ts';
import { convertOperand, isFloat, isNumeric } from './value-types.ts';

/** Computed in floats: float32 of float32, float64 of everything else. */
const floatFunctions: Readonly<Partial<Record<PolarsFunction, (value: number) => number>>> = {
  Exp: Math.exp,
  Log1p: Math.log1p,
  'Pow.Cbrt': Math.cbrt,
  'Pow.Sqrt': Math.sqrt,
  'Trigonometry.ArcCos': Math.acos,
  'Trigonometry.ArcSin': Math.asin,
  'Trigonometry.ArcTan': Math.atan,
  'Trigonometry.Cos': Math.cos,
  'Trigonometry.Cosh': Math.cosh,
  'Trigonometry.Sin': Math.sin,
  'Trigonometry.Sinh': Math.sinh,
  'Trigonometry.Tan': Math.tan,
  'Trigonometry.Tanh': Math.tanh,
};

/** Functions that polars has for floats alone. */
const roundings: Readonly<Partial<Record<PolarsFunction, (value: number) => number>>> = {
  Ceil: Math.ceil,
  Floor: Math.floor,
};

/** null when the function is none of numbers. */
export function compileNumberFunction(name: PolarsFunction, inputs: readonly ScalarOperand[]): ScalarOperand | null {
  const [input] = inputs;
  if (name === 'Abs') return compileAbs(input!);
  if (name === 'Sign') return compileSign(input!);
  if (name === 'Pow.Generic') return compilePower(input!, inputs[1]!);
  const ofFloats = floatFunctions[name];
  if (ofFloats !== undefined) return compileFloats(input!, name, ofFloats);
  const rounding = roundings[name];
  return rounding === undefined ? null : mapNumbers(requireFloat(input!, name), rounding);
}

/** As polars divides logarithms: log10 of 1000 is 2.9999999999999996. */
export function compileLog(input: ScalarOperand, base: number): ScalarOperand {
  const divisor = Math.log(base);
  return compileFloats(input, 'Log', (value) => Math.log(value) / divisor);
}

/** Halves are rounded away from zero. */
export function compileRound(input: ScalarOperand, decimals: number): ScalarOperand {
  const scale = 10 ** decimals;
  return mapNumbers(requireFloat(input, 'Round'), (value) => {
    const scaled = value * scale;
    return Number.isFinite(scaled) ? (Math.sign(scaled) * Math.round(Math.abs(scaled))) / scale : value;
  });
}

export function compileClip(
  input: ScalarOperand,
  { min, max }: { min: PolarsLiteral | null; max: PolarsLiteral | null },
): ScalarOperand {
  requireNumeric(input, 'Clip');
  const [least, most] = [min, max].map((bound) => (bound === null ? null : clipBound(input, bound)));
  return scalar(input.type, (row) => {
    const value = input.at(row);
    if (value === null) return null;
    if (least != null && value < least) return least;
    return most != null && value > most ? most : value;
  });
}

function clipBound(input: ScalarOperand, { type, value }: PolarsLiteral): RowValue {
  if (type === 'null' || input.type === 'null' || value === null) return null;
  const bound = castValue(value, { from: type, type: input.type });
  if (bound === null) throw new ExpressionMisfit(`clips ${input.type} values at ${value}, which is none`);
  return bound;
}

/** The least whole number of a type has no opposite in it, and polars leaves it as it is. */
function compileAbs(input: ScalarOperand): ScalarOperand {
  requireNumeric(input, 'Abs');
  const [least] = integerRanges[input.type as ColumnType] ?? [0n];
  return scalar(input.type, (row) => {
    const value = input.at(row) as number | bigint | null;
    // biome-ignore lint/suspicious/noDoubleEquals: a number may equal the bigint.
    return value === null || value >= 0 || (value == least && least !== 0n) ? value : -value;
  });
}

/** -1, 0 or 1, and null for NaN. */
function compileSign(input: ScalarOperand): ScalarOperand {
  requireNumeric(input, 'Sign');
  return scalar('int64', (row) => {
    const value = input.at(row) as number | bigint | null;
    if (value === null || Number.isNaN(value)) return null;
    return value > 0 ? 1n : value < 0 ? -1n : 0n;
  });
}

/** float32 to the power of anything is float32, everything else float64. */
function compilePower(base: ScalarOperand, exponent: ScalarOperand): ScalarOperand {
  for (const operand of [base, exponent]) requireNumeric(operand, 'Pow');
  const type = base.type === 'float32' && base.literal === undefined ? 'float32' : 'float64';
  const { at: baseAt } = convertOperand(base, type);
  const { at: exponentAt } = convertOperand(exponent, type);
  const round = rounder(type);
  return scalar(type, (row) => {
    const baseValue = baseAt(row) as number | null;
    const exponentValue = exponentAt(row) as number | null;
    return baseValue === null || exponentValue === null ? null : round(baseValue ** exponentValue);
  });
}

function compileFloats(input: ScalarOperand, name: string, compute: (value: number) => number): ScalarOperand {
  requireNumeric(input, name);
  return mapNumbers(convertOperand(input, input.type === 'float32' ? 'float32' : 'float64'), compute);
}

function mapNumbers({ type, at }: ScalarOperand, compute: (value: number) => number): ScalarOperand {
  const round = rounder(type);
  return scalar(type, (row) => {
    const value = at(row) as number | null;
    return value === null ? null : round(compute(value));
  });
}

function rounder(type: ScalarOperand['type']): (value: number) => number {
  return type === 'float32' ? Math.fround : (value) => value;
}

function requireNumeric({ type }: ScalarOperand, name: string): void {
  if (!isNumeric(type)) throw new ExpressionMisfit(`uses ${name} on ${type} values; it takes numbers`);
}

function requireFloat(input: ScalarOperand, name: string): ScalarOperand {
  if (isFloat(input.type)) return input;
  throw new ExpressionMisfit(`uses ${name} on ${input.type} values; it takes floats`);
}
