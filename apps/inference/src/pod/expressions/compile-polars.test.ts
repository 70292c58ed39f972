import { readFileSync } from 'node:fs';
import type { Column } from '@pademelon/contracts';
import type { PolarsExpression, PolarsFunction } from '@pademelon/domain/expressions';
import { describe, expect, it, test } from 'vitest';
import { ColumnSlot } from './column-slot.ts';
import { compilePolars } from './compile-polars.ts';
import { requireScalar } from './operand.ts';
import { disagreement, readPolarsCases } from './polars-cases.ts';

const { columns, cases } = readPolarsCases(
  readFileSync(new URL('fixtures/polars-cases.jsonl', import.meta.url), 'utf8'),
);

test.each(cases.map((each) => [each.expression, each] as const))('%s is what polars computed', (_, each) => {
  expect(disagreement(each, columns)).toBeNull();
});

const own: Readonly<Record<string, Column>> = {
  'in.whole': { name: 'whole', type: 'int64', rowShape: [], values: BigInt64Array.of(7n, -7n, 2n) },
  'in.small': { name: 'small', type: 'int8', rowShape: [], values: Int8Array.of(5, -128, 0) },
  'in.number': { name: 'number', type: 'float64', rowShape: [], values: Float64Array.of(1, -0, Number.NaN) },
  'in.text': { name: 'text', type: 'utf8', rowShape: [], values: ['a', 'b', 'c'] },
  'in.flag': { name: 'flag', type: 'bool', rowShape: [], values: Uint8Array.of(1, 0, 1) },
  'out.list': { name: 'list', type: 'float32', rowShape: [2], values: Float32Array.of(1, Number.NaN, -3, 4, 0, 0) },
  'out.ragged': {
    name: 'ragged',
    type: 'int16',
    rowShape: [-1],
    values: Int16Array.of(4, 9, -2),
    offsets: Int32Array.of(0, 0, 1, 3),
  },
  'out.grid': { name: 'grid', type: 'int32', rowShape: [1, 2], values: Int32Array.of(1, 2, 3, 4, 5, 6) },
};

const column = (name: string): PolarsExpression => ({ kind: 'column', name });
const literal = (value: number | boolean | string): PolarsExpression =>
  typeof value === 'number'
    ? { kind: 'literal', type: Number.isInteger(value) ? 'int32' : 'float64', value }
    : { kind: 'literal', type: typeof value === 'boolean' ? 'bool' : 'utf8', value };
const none: PolarsExpression = { kind: 'literal', type: 'null', value: null };
const call = (name: PolarsFunction, ...inputs: PolarsExpression[]): PolarsExpression => ({
  kind: 'call',
  name,
  inputs,
});
const binary = (
  left: PolarsExpression,
  operator: 'Or' | 'And' | 'Lt' | 'Modulus' | 'FloorDivide',
  right: PolarsExpression,
): PolarsExpression => ({
  kind: 'binary',
  operator,
  left,
  right,
});

function compute(expression: PolarsExpression): unknown[] {
  const operand = compilePolars(expression, (path) => {
    const slot = new ColumnSlot(own[path]!);
    slot.fill(own[path]!);
    return slot.operand;
  });
  const { at } = requireScalar(operand, 'a list');
  return [0, 1, 2].map(at);
}

describe('functions of lists that the Python package computes but cannot write', () => {
  it.each([
    ['ListExpr.Max', 'out.list', [1, 4, 0]],
    ['ListExpr.Min', 'out.list', [1, -3, 0]],
    ['ListExpr.Mean', 'out.list', [Number.NaN, 0.5, 0]],
    ['ListExpr.Length', 'out.list', [2, 2, 2]],
    ['ListExpr.Max', 'out.ragged', [null, 4, 9]],
    ['ListExpr.Mean', 'out.ragged', [null, 4, 3.5]],
    ['ListExpr.Length', 'out.ragged', [0, 1, 2]],
    ['ListExpr.Sum', 'out.ragged', [0n, 4n, 7n]],
  ] as const)('%s of %s', (name, path, expected) => {
    expect(compute(call(name, column(path)))).toEqual(expected);
  });
});

describe('where polars 0.18 has no good answer', () => {
  it('a null or a true is true, in either order', () => {
    const missing = binary(call('ListExpr.Get', column('out.ragged'), literal(0)), 'Lt', literal(0));
    expect(compute(binary(missing, 'Or', column('in.flag')))).toEqual([true, false, true]);
    expect(compute(binary(column('in.flag'), 'Or', missing))).toEqual([true, false, true]);
    expect(compute(binary(missing, 'Or', literal(false)))).toEqual([null, false, false]);
  });

  it('whole numbers divided by 0 are null', () => {
    expect(compute(binary(column('in.whole'), 'FloorDivide', literal(0)))).toEqual([null, null, null]);
    expect(compute(binary(column('in.small'), 'Modulus', column('in.small')))).toEqual([0, 0, null]);
  });

  it('2 is not in a list that holds 2.5', () => {
    const series: PolarsExpression = { kind: 'series', type: 'float64', values: [2.5, 7] };
    expect(compute(call('Boolean.IsIn', column('in.whole'), series))).toEqual([true, false, false]);
  });
});

describe('what the columns do not allow', () => {
  it.each([
    [binary(column('out.list'), 'Lt', literal(1)), 'uses a comparison on a list; take a value of it with .list.get(0)'],
    [call('ListExpr.Get', column('in.number'), literal(0)), 'one value a row, not a list; leave .list out'],
    [call('ListExpr.Get', column('out.list'), literal(0.5)), 'with a float64; it takes a whole number'],
    [call('ListExpr.Sum', column('out.grid')), 'on a list of lists; it takes numbers'],
    [call('ListExpr.Any', column('out.list')), 'any of a list of float32 values'],
    [binary(column('in.text'), 'Lt', literal(1)), 'brings utf8 and int32 values together'],
    [binary(column('in.number'), 'And', literal(true)), 'uses & on float64 values; it takes truth values'],
    [call('Abs', column('in.flag')), 'uses Abs on bool values'],
    [call('Floor', column('in.whole')), 'uses Floor on int64 values; it takes floats'],
    [call('Boolean.IsNan', column('in.text')), 'uses Boolean.IsNan on utf8 values'],
    [call('StringExpr.NChars', column('in.number')), 'uses StringExpr.NChars on float64 values; it takes text'],
    [{ kind: 'cast', input: column('in.text'), type: 'int8', isStrict: true }, 'casts text to numbers'],
    [{ kind: 'choice', predicate: column('in.whole'), truthy: none, falsy: none }, 'uses when() on int64 values'],
  ] as [PolarsExpression, string][])('%j is told', (expression, complaint) => {
    expect(() => compute(expression)).toThrow(complaint);
  });

  it('a strict cast tells the value that does not fit, another one makes it null', () => {
    const cast = (isStrict: boolean): PolarsExpression => ({
      kind: 'cast',
      input: column('in.whole'),
      type: 'uint8',
      isStrict,
    });
    expect(compute(cast(false))).toEqual([7, null, 2]);
    expect(() => compute(cast(true))).toThrow('casts -7 to uint8, which cannot hold it');
  });
});
