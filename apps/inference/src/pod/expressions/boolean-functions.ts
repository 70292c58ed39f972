import type { PolarsFunction, PolarsSeries } from '@pademelon/domain/expressions';
import { castValue } from './casts.ts';
import { both, either } from './connectives.ts';
import { compileContains } from './list-functions.ts';
import {
  ExpressionMisfit,
  type Operand,
  type RowValue,
  requireBoolean,
  requireScalar,
  type ScalarOperand,
  scalar,
} from './operand.ts';
import { isFloat, isInteger, isNumeric } from './value-types.ts';

/** null when the function is none that says something true or false of values. */
export function compileBooleanFunction(name: PolarsFunction, inputs: readonly Operand[]): ScalarOperand | null {
  const [input] = inputs;
  switch (name) {
    case 'Boolean.IsNull':
      return compileIsNull(input!, true);
    case 'Boolean.IsNotNull':
      return compileIsNull(input!, false);
    case 'Boolean.IsNot': {
      const { at } = requireBoolean(input!, '~');
      return scalar('bool', (row) => {
        const value = at(row);
        return value === null ? null : !value;
      });
    }
    case 'Boolean.IsNan':
      return compileFloatTest(input!, name, { test: Number.isNaN, ofWhole: false, ofNull: null });
    case 'Boolean.IsNotNan':
      return compileFloatTest(input!, name, { test: (value) => !Number.isNaN(value), ofWhole: true, ofNull: true });
    case 'Boolean.IsFinite':
      return compileFloatTest(input!, name, { test: Number.isFinite, ofWhole: true, ofNull: null });
    case 'Boolean.IsInfinite':
      return compileFloatTest(input!, name, { test: isInfinite, ofWhole: false, ofNull: null });
    case 'Boolean.AllHorizontal':
      return fold(inputs, { name: 'all_horizontal', combine: both, empty: true });
    case 'Boolean.AnyHorizontal':
      return fold(inputs, { name: 'any_horizontal', combine: either, empty: false });
    default:
      return null;
  }
}

/**
 * `is_in` a list of constants or a list column. Null is in a list that holds null; only of truth values it stays null.
 * Constants that the column's type cannot hold exactly are in no list of it (polars 0.18 cuts 2.5 to 2 there).
 */
export function compileIsIn(needle: ScalarOperand, series: PolarsSeries | Operand): ScalarOperand {
  if (series.kind === 'list') return compileContains(series, needle);
  if (series.kind === 'scalar') throw new ExpressionMisfit('uses is_in with one value; give it a list');
  const { type, at } = needle;
  if (type === 'null') return scalar('bool', () => series.values.includes(null));
  if ((type === 'utf8') !== (series.type === 'utf8')) {
    throw new ExpressionMisfit(`looks for ${type} values in a list of ${series.type}`);
  }
  const wanted = new Set<RowValue>();
  for (const value of series.values) {
    if (value === null || (isFloat(series.type) && isInteger(type) && !Number.isInteger(value))) continue;
    const held = castValue(value, { from: series.type, type });
    if (held !== null) wanted.add(held);
  }
  const ofNull = type === 'bool' ? null : series.values.includes(null);
  return scalar('bool', (row) => {
    const value = at(row);
    return value === null ? ofNull : wanted.has(value);
  });
}

function compileIsNull(input: Operand, expected: boolean): ScalarOperand {
  if (input.kind === 'list') return scalar('bool', (row) => input.start(row) < 0 === expected);
  const { at } = input;
  return scalar('bool', (row) => (at(row) === null) === expected);
}

function compileFloatTest(
  operand: Operand,
  name: string,
  { test, ofWhole, ofNull }: { test: (value: number) => boolean; ofWhole: boolean; ofNull: boolean | null },
): ScalarOperand {
  const { type, at } = requireScalar(operand, name);
  if (!isNumeric(type)) throw new ExpressionMisfit(`uses ${name} on ${type} values; it takes numbers`);
  if (!isFloat(type)) return scalar('bool', () => ofWhole);
  return scalar('bool', (row) => {
    const value = at(row) as number | null;
    return value === null ? ofNull : test(value);
  });
}

function isInfinite(value: number): boolean {
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY;
}

interface Folding {
  readonly name: string;
  readonly combine: (left: RowValue, right: RowValue) => boolean | null;
  readonly empty: boolean;
}

function fold(inputs: readonly Operand[], { name, combine, empty }: Folding): ScalarOperand {
  const values = inputs.map((input) => requireBoolean(input, name).at);
  return scalar('bool', (row) => {
    let result: boolean | null = empty;
    for (const at of values) result = combine(result, at(row));
    return result;
  });
}
