import type { Column } from '@pademelon/contracts';
import { parseCheck } from '@pademelon/domain/expressions';
import { expect, it } from 'vitest';
import type { CheckedRows } from './checked-rows.ts';
import { PolarsCheck } from './polars-check.ts';

const first = { Function: { input: [{ Column: 'out.y' }, { Literal: { Int32: 0 } }], function: { ListExpr: 'Get' } } };
const compare = (left: unknown, op: string, right: unknown) => ({ BinaryExpr: { left, op, right } });

function checkOf(expression: unknown): PolarsCheck {
  const [check] = parseCheck(JSON.stringify({ Alias: [expression, 'odd'] }));
  if (check?.form !== 'polars') throw new Error('no polars');
  return new PolarsCheck(check.name, check.expression);
}

const list = (type: 'float32' | 'float64', ...values: number[]): Column => ({
  name: 'y',
  type,
  rowShape: [1],
  values: type === 'float32' ? Float32Array.from(values) : Float64Array.from(values),
});
const rows = (...outputs: Column[]): CheckedRows => ({
  rowCount: 3,
  inputs: [{ name: 'y', type: 'utf8', rowShape: [], values: ['a', 'b', 'c'] }],
  outputs,
  runs: [],
});

it('fails the rows for which the expression is true', () => {
  const check = checkOf(compare(first, 'Gt', { Literal: { Float64: 0.9 } }));
  expect(check.run(rows(list('float32', 0.5, 0.95, Number.NaN)))).toEqual(Uint8Array.of(0, 1, 0));
});

it('takes null for no anomaly', () => {
  const missing: Column = { ...list('float64', 5, 6), rowShape: [-1], offsets: Int32Array.of(0, 1, 1, 2) };
  expect(checkOf(compare(first, 'Gt', { Literal: { Int32: 1 } })).run(rows(missing))).toEqual(Uint8Array.of(1, 0, 1));
});

it('is compiled anew for columns of other types, whose comparison differs', () => {
  const check = checkOf(compare(first, 'Eq', { Literal: { Float64: 0.1 } }));
  expect(check.run(rows(list('float32', 0.1, 0.2, 0.1)))).toEqual(Uint8Array.of(1, 0, 1));
  expect(check.run(rows(list('float64', 0.1, Math.fround(0.1), 1)))).toEqual(Uint8Array.of(1, 0, 0));
  expect(check.run(rows(list('float32', 0.3, 0.1, 0.3)))).toEqual(Uint8Array.of(0, 1, 0));
});

it('tells inputs from outputs of the same name', () => {
  const check = checkOf(
    compare(
      compare(first, 'Lt', { Literal: { Int32: 5 } }),
      'And',
      compare({ Column: 'in.y' }, 'Eq', { Literal: { Utf8: 'b' } }),
    ),
  );
  expect(check.run(rows(list('float64', 1, 2, 3)))).toEqual(Uint8Array.of(0, 1, 0));
});

it('says which column the rows lack, or cannot be taken for what it is, with the check’s name', () => {
  const check = checkOf(compare(first, 'Lt', { Literal: { Int32: 5 } }));
  expect(() => check.run(rows({ ...list('float32', 1, 2, 3), name: 'z' }))).toThrow(
    'The check "odd" reads "out.y", but the rows have in.y, out.z.',
  );
  expect(() => check.run(rows({ ...list('float32', 1, 2, 3), rowShape: [] }))).toThrow(
    'The check "odd" uses .list.get() on a column that has one value a row, not a list; leave .list out.',
  );
  expect(() => checkOf({ Column: 'out.y' }).run(rows({ ...list('float32', 1, 2, 3), rowShape: [] }))).toThrow(
    'The check "odd" uses itself as a check on float32 values; it takes truth values.',
  );
});
