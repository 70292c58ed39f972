import type { ColumnType } from '@pademelon/contracts';
import { integerRanges, isBigType } from '../typed-values.ts';
import { ExpressionMisfit, type RowValue, type ScalarOperand, scalar } from './operand.ts';
import { isFloat } from './value-types.ts';

/** A value that the type cannot hold is null, or, in a strict cast, fails the request with ExpressionMisfit. */
export function compileCast(input: ScalarOperand, type: ColumnType, isStrict: boolean): ScalarOperand {
  const { type: from, at } = input;
  if (from === 'null') return scalar(type, () => null);
  if (from === 'utf8') throw new ExpressionMisfit('casts text to numbers, which is not served');
  return scalar(type, (row) => {
    const value = at(row);
    if (value === null) return null;
    const cast = castValue(value, { from, type });
    if (cast === null && isStrict) throw new ExpressionMisfit(`casts ${value} to ${type}, which cannot hold it`);
    return cast;
  });
}

/** Floats are cut to whole numbers towards zero; null when the type cannot hold the value. */
export function castValue(
  value: NonNullable<RowValue>,
  { from, type }: { from: ColumnType; type: ColumnType },
): RowValue {
  if (from === type) return value;
  if (from === 'utf8' || type === 'utf8') return null;
  if (type === 'bool') return Number(value) !== 0;
  if (type === 'float64') return Number(value);
  if (type === 'float32') return Math.fround(Number(value));
  const whole = isFloat(from) ? Math.trunc(value as number) : value;
  if (typeof whole === 'number' && !Number.isFinite(whole)) return null;
  const exact = BigInt(whole as number | bigint | boolean);
  const [least, most] = integerRanges[type]!;
  if (exact < least || exact > most) return null;
  return isBigType(type) ? exact : Number(exact);
}
