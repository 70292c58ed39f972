import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from '../../domain-error.ts';
import { parseSteps } from '../steps/parse-steps.ts';
import { unsupportedSteps } from '../steps/unsupported-steps.ts';
import { instrumentText } from './instrument-tree.ts';
import { parseCheck } from './parse-check.ts';

const col = (name: string) => ({ Column: name });
const int = (value: number) => ({ Literal: { Int32: value } });
const call = (called: unknown, ...input: unknown[]) => ({
  Function: { input, function: called, options: { fmt_str: '' } },
});
const binary = (left: unknown, op: string, right: unknown) => ({ BinaryExpr: { left, op, right } });
const named = (expression: unknown, name = 'fraud') => JSON.stringify({ Alias: [expression, name] });
const first = call({ ListExpr: 'Get' }, col('out.dense_1'), int(0));

const variable = { node: 'variable', variant_id: { name: 'house' }, position: 'output', key: [0, 0] };
const binop = (left: unknown, op: string, right: unknown) => ({ node: 'binop', op, left, right });
const number = (value: number) => ({ node: 'literal', float: value });
const instrument = (root: unknown, { name = 'price too high', gauges = [] as string[] } = {}) =>
  JSON.stringify({
    values: { [name]: { root, required_data: [{ name: 'house' }] } },
    gauges,
    validations: gauges.length > 0 ? [] : [name],
  });

function refusalOf(text: string): string {
  try {
    parseCheck(text);
  } catch (error) {
    if (error instanceof DomainError && error.word === 'unsupported') return error.message;
    throw error;
  }
  return 'none';
}

describe('a polars expression', () => {
  it('is read as the 2026 SDK writes it, planner’s options and all', () => {
    // pl.col("out.dense_1").list.get(0) > 0.9, from a published notebook.
    const text =
      '{"Alias":[{"BinaryExpr":{"left":{"Function":{"input":[{"Column":"out.dense_1"},{"Literal":{"Int32":0}}],' +
      '"function":{"ListExpr":"Get"},"options":{"collect_groups":"ApplyFlat","fmt_str":"","input_wildcard_expansion":false,' +
      '"auto_explode":true,"cast_to_supertypes":false,"allow_rename":false,"pass_name_to_apply":false,' +
      '"changes_length":false,"check_lengths":true,"allow_group_aware":true}}},"op":"Gt",' +
      '"right":{"Literal":{"Float64":0.9}}}},"fraud"]}';
    expect(parseCheck(text)).toEqual([
      {
        form: 'polars',
        name: 'fraud',
        expression: {
          kind: 'binary',
          operator: 'Gt',
          left: {
            kind: 'call',
            name: 'ListExpr.Get',
            inputs: [
              { kind: 'column', name: 'out.dense_1' },
              { kind: 'literal', type: 'int32', value: 0 },
            ],
          },
          right: { kind: 'literal', type: 'float64', value: 0.9 },
        },
      },
    ]);
  });

  it('keeps whole numbers of 64 bits exact', () => {
    const [check] = parseCheck(
      '{"Alias":[{"BinaryExpr":{"left":{"Column":"in.id"},"op":"Eq","right":{"Literal":{"Int64":9007199254740993}}}},"x"]}',
    );
    expect(check).toMatchObject({ expression: { right: { type: 'int64', value: 9007199254740993n } } });
  });

  it.each([
    [{ Agg: { Max: { input: first } } }, 'uses Agg.Max, which is not served: a check looks at one row at a time'],
    [{ Window: {} }, 'uses Window'],
    ['Wildcard', 'uses Wildcard'],
    [{ Columns: ['in.a', 'in.b'] }, 'uses Columns'],
    [call({ ListExpr: 'Reverse' }, col('out.x')), 'uses ListExpr.Reverse, which is not served'],
    [call({ Boolean: { Any: { drop_nulls: true } } }, col('in.x')), 'uses Boolean.Any, which is not served'],
    [call('Shrink', col('in.x')), 'uses Shrink, which is not served'],
    [call({ Shift: 1 }, col('in.x')), 'uses Shift, which is not served'],
    [call({ TemporalExpr: 'Year' }, col('in.x')), 'uses TemporalExpr.Year'],
    [call('toString', col('in.x')), 'uses toString, which is not served'],
    [binary(first, 'Spaceship', int(1)), 'uses the operator Spaceship'],
    [binary(col('tensor'), 'Lt', int(1)), 'reads the column "tensor"; checks read "in.<column of the request>"'],
    [binary(col('^in.*$'), 'Lt', int(1)), 'reads the column "^in.*$"'],
    [binary(first, 'Gt', { Literal: { Float64: null } }), 'compares with NaN or infinity'],
    [binary(first, 'Gt', { Literal: { Date: 1 } }), 'uses a constant of the type Date'],
    [
      { Cast: { expr: first, data_type: { List: 'Float32' }, strict: true } },
      'casts to {"List":"Float32"}, which is not served',
    ],
    [
      binary(first, 'Lt', { Literal: { Series: { datatype: 'Int64', values: [1] } } }),
      'uses a list of constants in BinaryExpr; it may stand in is_in only',
    ],
    [call({ StringExpr: { Contains: { literal: false } } }, col('in.s'), { Literal: { Utf8: 'a+' } }), 'literal=True'],
    [call({ StringExpr: { Strip: 'x' } }, col('in.s')), 'str.strip of chosen characters'],
    [call({ ListExpr: 'Get' }, col('out.x')), 'calls ListExpr.Get with 1 inputs'],
    [first.Function.input[1], 'is a number or a text'],
    [binary(first, 'Plus', int(1)), 'is a number or a text; write a comparison'],
    [call({ ListExpr: 'Sum' }, col('out.x')), 'is a number or a text'],
    [{ Literal: 'Nul' }, 'uses a constant of the type Nul'],
    [7, 'holds something that is no polars expression'],
  ])('%j is refused with what it cannot do', (expression, complaint) => {
    const refusal = refusalOf(named(expression));
    expect(refusal).toMatch(/^The check "fraud" /);
    expect(refusal).toContain(complaint);
  });

  it('may not be nested without end, nor be long without end', () => {
    let deep: unknown = col('in.x');
    for (let depth = 0; depth < 70; depth += 1) deep = call('Abs', deep);
    expect(refusalOf(named(deep))).toContain('nests expressions deeper than 64');
    expect(refusalOf(`${named(first)}${' '.repeat(100_000)}`)).toContain('at most 100000');
  });

  it('needs a name that is not count', () => {
    expect(refusalOf(JSON.stringify(binary(first, 'Gt', int(1))))).toContain('has no name');
    expect(refusalOf(named(binary(first, 'Gt', int(1)), 'count'))).toContain('"count"');
    expect(refusalOf('{"Alias":')).toBe('A check is not in JSON.');
  });
});

describe('a tree of the 2023 SDK', () => {
  it('is read with the sign of what must hold', () => {
    const [check] = parseCheck(instrument(binop(variable, '<', number(1500000))));
    expect(check).toMatchObject({ form: 'instrument', name: 'price too high', tree: { operator: '<' } });
    expect(check?.form === 'instrument' && instrumentText(check.tree)).toBe('house.outputs[0][0] < 1500000');
  });

  it.each([
    [
      binop(
        { node: 'fn', fn: 'abs', arguments: [binop(variable, '-', { ...variable, position: 'input', key: [1] })] },
        '>=',
        number(1.5),
      ),
      'abs(house.outputs[0][0] - house.inputs[1]) >= 1.5',
    ],
    [
      binop(variable, 'in', { node: 'literal', list: [number(1), { node: 'literal', integer: 2 }] }),
      'house.outputs[0][0] in [1, 2]',
    ],
    [
      binop(variable, '==', binop(number(1), '-', binop(number(2), '-', number(3)))),
      'house.outputs[0][0] == (1 - (2 - 3))',
    ],
  ])('%j is shown as %s', (root, text) => {
    const [check] = parseCheck(instrument(root));
    expect(check?.form === 'instrument' && instrumentText(check.tree)).toBe(text);
  });

  it.each([
    [variable, 'is no comparison'],
    [binop(variable, '+', number(1)), 'is no comparison'],
    [binop(variable, '!=', number(1)), 'uses the operator !='],
    [binop(variable, '<', { node: 'literal', timedelta: '60s' }), 'compares with a constant of the type timedelta'],
    [binop(variable, '<', { node: 'literal', list: [number(1)] }), 'uses a list outside one_of'],
    [binop(binop(variable, '<', number(1)), '==', number(1)), 'calculates with the result of <'],
    [binop({ node: 'fn', fn: 'count', arguments: [variable] }, '<', number(1)), 'uses the function count'],
    [binop({ ...variable, key: [-1] }, '<', number(1)), 'whose indices are not whole numbers'],
    [{ node: 'shrug' }, 'uses the node "shrug"'],
  ])('%j is refused with what it cannot do', (root, complaint) => {
    const refusal = refusalOf(instrument(root));
    expect(refusal).toMatch(/^The check "price too high" /);
    expect(refusal).toContain(complaint);
  });

  it('is refused when it is an alert, which counts over time', () => {
    expect(refusalOf(instrument(variable, { name: 'busy:left', gauges: ['busy:left'] }))).toContain('"busy:left"');
  });
});

describe('hostile texts', () => {
  const nested = (open: string, count: number, close: string) => `${open.repeat(count)}1${close.repeat(count)}`;

  it.each([
    nested('[', 40_000, ']'),
    `{"Alias":[${nested('{"Literal":', 8000, '}')},"x"]}`,
    `{"Alias":[{"Function":{"input":[],"function":${nested('{"Boolean":', 8000, '}')}}},"x"]}`,
    `{"values":{"a":{"root":${nested('{"node":"fn","fn":"abs","arguments":[', 2500, ']}')}}},"validations":["a"]}`,
  ])('%.40s… is refused for its depth', (text) => {
    expect(refusalOf(text)).toBe('A check is nested deeper than 512 in JSON.');
  });

  it('brackets in texts are no depth', () => {
    const text = named(binary(col('in.s'), 'Eq', { Literal: { Utf8: `\\"${'['.repeat(90_000)}` } }));
    expect(refusalOf(text)).toBe('none');
  });

  it('whatever is sent is read or refused in a sentence', () => {
    const keys = fc.constantFrom(
      'Alias',
      'Function',
      'input',
      'function',
      'Literal',
      'Series',
      'Cast',
      'Ternary',
      'Clip',
      'StringExpr',
      'Contains',
      'Strip',
      'values',
      'validations',
      'root',
      'node',
      'x',
    );
    const words = fc.constantFrom('in.x', 'Int32', 'binop', 'variable', 'Null', 'ListExpr', 'Strip', 'Contains', 'x');
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom(null, true, 0, 1.5),
        words,
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(keys, tie('json'), { maxKeys: 3 }),
      ),
    }));
    const body = fc.oneof(
      json,
      json.map((inner) => ({ Alias: [inner, 'x'] })),
      json.map((inner) => ({ values: { x: { root: inner } }, validations: ['x'] })),
    );
    fc.assert(
      fc.property(body, (value) => {
        expect(refusalOf(JSON.stringify(value))).toBeTypeOf('string');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a pipeline with checks', () => {
  const model = (name: string) => ({ name, version: '3f0d9a9e-0a39-4a1c-9a5c-0f4a3c1c2b1d', sha: 'f00d' });
  const inference = (...names: string[]) => ({ ModelInference: { models: names.map(model) } });
  const complaints = (...steps: unknown[]) => unsupportedSteps(parseSteps(steps));
  const price = instrument(binop(variable, '<', number(1)));

  it('is served when each check is, and names the step and the check otherwise', () => {
    expect(complaints(inference('house'), { Check: { tree: [price, named(binary(first, 'Gt', int(1)))] } })).toEqual(
      [],
    );
    expect(complaints(inference('house'), { Check: { tree: [named({ Agg: { Mean: first } }, 'drift')] } })).toEqual([
      'Step 2 (Check): The check "drift" uses Agg.Mean, which is not served: a check looks at one row at a time.',
    ]);
  });

  it('may read the models that answer, not challengers, whose results may come too late', () => {
    const shadow = [inference('champion', 'house'), { Check: { tree: [price] } }, { MultiOut: {} }];
    expect(complaints(...shadow)).toEqual([
      'Step 2 (Check): The check "price too high" reads the model "house", which the pipeline does not answer with.',
    ]);
    expect(complaints(inference('house', 'challenger'), { Check: { tree: [price] } }, { MultiOut: {} })).toEqual([]);
  });
});
