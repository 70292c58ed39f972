import type { ColumnType } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { float32Overflow, integerRanges, isBigType } from '../typed-values.ts';

/** Where a value stands, for messages; `index` counts the values of the cell, -1 for a plain one. */
export interface ValuePlace {
  readonly name: string;
  readonly row: number;
  readonly index: number;
}

type Converted = number & bigint & string;

/**
 * A parsed JSON value as the element of a column of `type`. Floats are rounded to the type's precision; everything else
 * must be representable exactly, or the request is refused.
 */
export function convertJsonValue(value: unknown, type: ColumnType, place: ValuePlace): Converted {
  switch (type) {
    case 'float32':
    case 'float64':
      return toFloat(value, type, place) as Converted;
    case 'bool':
      if (typeof value !== 'boolean') throw unfit(value, 'true or false', place);
      return Number(value) as Converted;
    case 'utf8':
      if (typeof value !== 'string') throw unfit(value, 'a string', place);
      return value as Converted;
    default:
      return toInteger(value, type, place) as Converted;
  }
}

function toFloat(value: unknown, type: ColumnType, place: ValuePlace): number {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw unfit(value, `a ${type} number`, place);
  const number = Number(value);
  const limit = type === 'float32' ? float32Overflow : Number.POSITIVE_INFINITY;
  if (!(number < limit && number > -limit)) throw unfit(value, `a ${type} number`, place);
  return number;
}

function toInteger(value: unknown, type: ColumnType, place: ValuePlace): number | bigint {
  const range = integerRanges[type]!;
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!isWhole) throw unfit(value, `a whole ${type} number`, place);
  const whole = BigInt(value as bigint | number);
  if (whole < range[0] || whole > range[1]) throw unfit(value, `a whole ${type} number`, place);
  return isBigType(type) ? whole : Number(whole);
}

function unfit(value: unknown, wanted: string, { name, row, index }: ValuePlace): DomainError {
  const position = index < 0 ? '' : `, value ${index}`;
  return new DomainError(
    'invalid_input',
    `Row ${row}, column ${JSON.stringify(name)}${position}: the model takes ${wanted}, but found ${describe(value)}.`,
  );
}

function describe(value: unknown): string {
  if (typeof value === 'string')
    return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return 'a number beyond its range';
  return String(value);
}
