import type { Column, ColumnType, ColumnValues } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import { allocateValues, float32Overflow, integerRanges, isBigType } from './typed-values.ts';

/**
 * A column's values as another type: floats are rounded to the precision of the type, everything else must be
 * representable exactly. `width` is the number of values a row, to name the row that is not.
 */
export function convertValues(column: Column, type: ColumnType, width: number): ColumnValues {
  const { values } = column;
  const isText = column.type === 'utf8';
  if (isText !== (type === 'utf8') || (column.type === 'bool') !== (type === 'bool')) {
    throw new DomainError(
      'invalid_input',
      `Column ${JSON.stringify(column.name)} holds ${column.type} values, but the model takes ${type}.`,
    );
  }
  const converted = allocateValues(type, values.length);
  const convert = converterTo(type);
  for (let at = 0; at < values.length; at += 1) {
    const value = convert(values[at] as number | bigint);
    if (value === null) throw unfit(column, type, { at, width });
    converted[at] = value;
  }
  return converted;
}

type Convert = (value: number | bigint) => (number & bigint & string) | null;

function converterTo(type: ColumnType): Convert {
  if (type === 'float32')
    return ((value) => (Math.abs(Number(value)) >= float32Overflow ? null : Number(value))) as Convert;
  if (type === 'float64') return Number as unknown as Convert;
  const [least, most] = integerRanges[type]!;
  const isBig = isBigType(type);
  return ((value) => {
    if (typeof value === 'number' && !Number.isInteger(value)) return null;
    const whole = BigInt(value);
    if (whole < least || whole > most) return null;
    return isBig ? whole : Number(whole);
  }) as Convert;
}

function unfit({ name, values }: Column, type: ColumnType, { at, width }: { at: number; width: number }): DomainError {
  const row = Math.floor(at / width);
  return new DomainError(
    'invalid_input',
    `Row ${row}, column ${JSON.stringify(name)}, value ${at - row * width}: ${values[at]} is not a ${type} number.`,
  );
}
