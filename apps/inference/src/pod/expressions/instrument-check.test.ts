import type { Column } from '@pademelon/contracts';
import { type InstrumentTree, parseInstrumentTree } from '@pademelon/domain/expressions';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckedRows } from './checked-rows.ts';
import { InstrumentCheck } from './instrument-check.ts';

const scalar = (name: string, ...values: number[]): Column => ({
  name,
  type: 'float64',
  rowShape: [],
  values: Float64Array.from(values),
});
const matrix: Column = {
  name: 'matrix',
  type: 'int64',
  rowShape: [2, 2],
  values: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n),
};
const ragged: Column = {
  name: 'ragged',
  type: 'float32',
  rowShape: [-1],
  values: Float32Array.of(1, 2, 3),
  offsets: Int32Array.of(0, 2, 3),
};

const variable = (key: number[], { model = 'house', position = 'output' } = {}) => ({
  node: 'variable',
  variant_id: { name: model },
  position,
  key,
});
const number = (value: number) => ({ node: 'literal', float: value });
const binop = (left: unknown, op: string, right: unknown) => ({ node: 'binop', op, left, right });

/** Failures of the check on rows that `house` made of `inputs`. */
function failures(json: unknown, outputs: readonly Column[], options: Partial<CheckedRows> = {}): number[] {
  const inputs = [scalar('x', 10, 20)];
  const rows: CheckedRows = {
    rowCount: 2,
    inputs,
    outputs,
    runs: [{ models: ['house'], rowCount: 2, inputs, outputs }],
    ...options,
  };
  return [...new InstrumentCheck('price', parseInstrumentTree(json), (_, index, columns) => columns[index]).run(rows)];
}

describe('a check of the 2023 SDK', () => {
  it.each([
    ['<', [0, 1, 1]],
    ['<=', [0, 0, 1]],
    ['==', [1, 0, 1]],
    ['>=', [1, 0, 0]],
    ['>', [1, 1, 0]],
  ])('fails the rows for which %s does not hold', (operator, expected) => {
    const three = {
      runs: [{ models: ['house'], rowCount: 3, inputs: [], outputs: [scalar('y', 1, 2, 3)] }],
      rowCount: 3,
    };
    expect(failures(binop(variable([0, 0]), operator, number(2)), [], three)).toEqual(expected);
  });

  it('fails on NaN, which compares with nothing', () => {
    expect(failures(binop(variable([0]), '<', number(5)), [scalar('y', Number.NaN, 1)])).toEqual([1, 0]);
  });

  it('reads values inside a row, of inputs and of whole numbers too', () => {
    expect(failures(binop(variable([1, 1, 0]), '==', number(3)), [scalar('y', 0, 0), matrix])).toEqual([0, 1]);
    const input = variable([0], { position: 'input' });
    expect(failures(binop(binop(input, '-', variable([0])), '>', number(10)), [scalar('y', 1, 2)])).toEqual([1, 0]);
    expect(failures(binop(variable([0, 1]), '==', number(2)), [ragged])).toEqual([0, 1]);
  });

  it('reads the latest run of its model', () => {
    const run = (models: string[], value: number) => ({
      models,
      rowCount: 2,
      inputs: [],
      outputs: [scalar('y', value, value)],
    });
    const runs = [run(['house'], 1), run(['other', 'house'], 2), run(['last'], 3)];
    expect(failures(binop(variable([0]), '==', number(2)), [], { runs })).toEqual([0, 0]);
  });

  it.each([
    [variable([0], { model: 'gone' }), 'reads gone.outputs[0], but that model has not run before it.'],
    [variable([1]), 'reads house.outputs[1], but there is no such output.'],
    [variable([0, 5, 0]), 'but a row of "matrix" has the shape [2, 2].'],
    [variable([0]), 'but a row of "matrix" has the shape [2, 2].'],
    [variable([0, 0, 0, 0]), 'but a row of "matrix" has the shape [2, 2].'],
    [variable([3], { position: 'input' }), 'reads house.inputs[3], but there is no such input.'],
  ])('%j is told where the rows do not have it', (left, complaint) => {
    expect(() => failures(binop(left, '<', number(1)), [matrix])).toThrow(`The check "price" reads`);
    expect(() => failures(binop(left, '<', number(1)), [matrix])).toThrow(complaint);
  });

  it('computes what a plain walk over the tree computes', () => {
    const leaf = fc.oneof(
      fc.integer({ min: 0, max: 1 }).map((at) => variable([0, at])),
      fc.double({ noNaN: true, min: -1e6, max: 1e6 }).map(number),
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc
          .tuple(tie('value'), fc.constantFrom('+', '-'), tie('value'))
          .map(([left, op, right]) => binop(left, op, right)),
        tie('value').map((input) => ({ node: 'fn', fn: 'abs', arguments: [input] })),
      ),
    }));
    const root = fc
      .tuple(value, fc.constantFrom('<', '<=', '==', '>=', '>'), value)
      .map(([left, op, right]) => binop(left, op, right));
    const pair = fc.array(fc.double({ noDefaultInfinity: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(root, pair, (json, values) => {
        const outputs: Column[] = [{ name: 'y', type: 'float64', rowShape: [2], values: Float64Array.from(values) }];
        const expected = [0, 1].map((row) => (walk(parseInstrumentTree(json), values.slice(row * 2)) === true ? 0 : 1));
        expect(failures(json, outputs)).toEqual(expected);
      }),
    );
  });
});

function walk(tree: InstrumentTree, row: readonly number[]): number | boolean {
  switch (tree.kind) {
    case 'variable':
      return row[tree.key[1]!]!;
    case 'number':
      return tree.value;
    case 'abs':
      return Math.abs(walk(tree.input, row) as number);
    case 'numbers':
      throw new Error('Lists are not made here.');
    case 'binary': {
      const [left, right] = [walk(tree.left, row) as number, walk(tree.right, row) as number];
      if (tree.operator === '+') return left + right;
      if (tree.operator === '-') return left - right;
      if (tree.operator === '==') return left === right;
      const isBelow = left < right || (tree.operator === '<=' && left === right);
      const isAbove = left > right || (tree.operator === '>=' && left === right);
      return tree.operator.startsWith('<') ? isBelow : isAbove;
    }
  }
}
