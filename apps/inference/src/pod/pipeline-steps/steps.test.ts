import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import { identityModel, int64s, multipleInputsModel, sumModel, writeOnnxModel } from '@pademelon/testing/onnx';
import { tableFromIPC } from 'apache-arrow';
import { afterEach, describe, expect, it } from 'vitest';
import type { PipelineOptions } from '../pipeline.ts';
import { arrowType, pipelineBench, type TestModel, versionOf } from '../pod-bench.ts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

type Define = (models: readonly ModelReference[]) => readonly unknown[];

/** `rows` answers the records of a body; `refusal` the sentence. */
async function setup(models: readonly TestModel[], define: Define, options?: Partial<PipelineOptions>) {
  const bench = await pipelineBench(models, define, options);
  removals.push(bench.remove);
  return {
    ...bench,
    rows: (body: unknown): Record<string, unknown>[] => JSON.parse(bench.infer(JSON.stringify(body))),
    refusal: (body: unknown): string => bench.infer(JSON.stringify(body)),
  };
}

/** `x` float32 [N, width] → `y` float32 [N, width], each value times `factor`. */
function timesModel(factor: number, { width = 1, output = 'y', input = 'x' } = {}): Buffer {
  const raw = Buffer.alloc(4);
  raw.writeFloatLE(factor);
  return writeOnnxModel({
    graph: {
      nodes: [{ op: 'Mul', inputs: [input, 'factor'], outputs: [output] }],
      inputs: [{ name: input, shape: ['N', width] }],
      outputs: [{ name: output, shape: ['N', width] }],
      initializers: [{ name: 'factor', type: 'float32', dims: [1], raw }],
    },
  });
}

/** `x` float32 [N, 1] → `first`, the same, and `second`, its negative. */
function pairModel(): Buffer {
  return writeOnnxModel({
    graph: {
      nodes: [
        { op: 'Identity', inputs: ['x'], outputs: ['first'] },
        { op: 'Neg', inputs: ['x'], outputs: ['second'] },
      ],
      inputs: [{ name: 'x', shape: ['N', 1] }],
      outputs: [
        { name: 'first', shape: ['N', 1] },
        { name: 'second', shape: ['N', 1] },
      ],
    },
  });
}

const double = { name: 'double', file: timesModel(2) };
const triple = { name: 'triple', file: timesModel(3) };
const inference = (...models: unknown[]) => ({ ModelInference: { models } });
const splitOf = (row: Record<string, unknown>) => (row['out._model_split'] as string[]).map((text) => JSON.parse(text));

describe('a random split', () => {
  const weighted =
    (hashKey: string | null, ...weights: number[]): Define =>
    (models) => [
      { RandomSplit: { hash_key: hashKey, weights: models.map((model, at) => ({ model, weight: weights[at] })) } },
    ];

  it.each([
    [0, 'double', 10],
    [0.66, 'double', 10],
    [0.67, 'triple', 15],
    [0.999999, 'triple', 15],
  ])('sends a request that drew %d to %s', async (drawn, name, out) => {
    const { rows } = await setup([double, triple], weighted(null, 2, 1), { random: () => drawn });
    const [row] = rows([{ tensor: [5] }]);
    expect(row!['out.y']).toEqual([out]);
    expect(splitOf(row!)[0].name).toBe(name);
  });

  it('tells both SDK generations which model it was', async () => {
    const { rows } = await setup([double, triple], weighted(null, 0, 1), { random: () => 0 });
    const [row] = rows([{ tensor: [5] }]);
    expect(splitOf(row!)).toEqual([
      {
        name: 'triple',
        version: versionOf(1),
        sha: '1'.repeat(64),
        model_version: {
          id: 2,
          name: 'triple',
          status: 'ready',
          file_info: { version: versionOf(1), sha: '1'.repeat(64) },
        },
        config: { model_version_id: 2, runtime: 'onnx', tensor_fields: null },
      },
    ]);
  });

  it('gives all rows of a request to one model, and draws again for the next', async () => {
    const draws = [0.1, 0.9];
    const { rows, records } = await setup([double, triple], weighted(null, 1, 1), { random: () => draws.shift()! });
    expect(rows([{ tensor: [1] }, { tensor: [2] }]).map((row) => row['out.y'])).toEqual([[2], [4]]);
    expect(rows([{ tensor: [1] }, { tensor: [2] }]).map((row) => row['out.y'])).toEqual([[3], [6]]);
    expect(records.map(({ lastModel }) => lastModel.name)).toEqual(['double', 'triple']);
    expect(records[0]!.columns.map(({ name }) => name)).toEqual(['in.tensor', 'out.y', 'out._model_split']);
  });

  it('takes a hash key from 0 to 1 as the draw, row by row', async () => {
    const { rows } = await setup([double, triple], weighted('key', 1, 1), { random: () => 0 });
    const answer = rows([0, 0.4, 0.6, 1].map((key) => ({ tensor: [1], key })));
    expect(answer.map((row) => row['out.y'])).toEqual([[2], [2], [3], [3]]);
    expect(answer.map((row) => splitOf(row)[0].name)).toEqual(['double', 'double', 'triple', 'triple']);
    const whole = rows([0, 1].map((key) => ({ tensor: [1], key })));
    expect(whole.map((row) => splitOf(row)[0].name)).toEqual(['double', 'triple']);
  });

  it('always gives the same model to the same key, in proportion to the weights', async () => {
    const { rows } = await setup([double, triple], weighted('user', 3, 1));
    const users = Array.from({ length: 2000 }, (_, user) => `user-${user}`);
    const chosen = rows(users.map((user) => ({ tensor: [1], user }))).map((row) => splitOf(row)[0].name);
    const again = rows(users.toReversed().map((user) => ({ tensor: [1], user }))).map((row) => splitOf(row)[0].name);
    expect(again.toReversed()).toEqual(chosen);
    const share = chosen.filter((name) => name === 'triple').length / users.length;
    expect(share).toBeGreaterThan(0.22);
    expect(share).toBeLessThan(0.28);
  });

  it('draws when the request lacks the hash key', async () => {
    const { rows } = await setup([double, triple], weighted('key', 1, 1), { random: () => 0.9 });
    expect(rows([{ tensor: [1] }])[0]!['out.y']).toEqual([3]);
  });

  it('refuses rows of one request that belong to models with different outputs', async () => {
    const other = { name: 'other', file: timesModel(3, { output: 'z' }) };
    const { refusal } = await setup([double, other], weighted('key', 1, 1));
    expect(refusal([0.1, 0.9].map((key) => ({ tensor: [1], key })))).toBe(
      'invalid_input: Step 1 (RandomSplit): rows of this request belong to the models "double" and "other", whose outputs differ; send them in separate requests.',
    );
    expect(JSON.parse(refusal([{ tensor: [1], key: 0.9 }]))[0]['out.z']).toEqual([3]);
  });

  it('passes the outputs on to the next model, and tells of each split', async () => {
    const { rows } = await setup([double, triple], ([first, second]) => [
      { RandomSplit: { hash_key: null, weights: [{ model: first, weight: 1 }] } },
      { RandomSplit: { hash_key: null, weights: [{ model: second, weight: 1 }] } },
    ]);
    const [row] = rows([{ tensor: [1] }]);
    expect(row!['out.y']).toEqual([6]);
    expect(splitOf(row!).map(({ name }) => name)).toEqual(['double', 'triple']);
  });

  it('is answered in Arrow too', async () => {
    const { inferBytes } = await setup([double, triple], weighted(null, 1, 0), { random: () => 0 });
    const table = tableFromIPC(inferBytes('[{"tensor":[1]},{"tensor":[2]}]', { accept: arrowType }));
    const [first] = table.toArray().map((row) => row['out._model_split'].toArray());
    expect(JSON.parse(first[0]).name).toBe('double');
  });
});

describe('a key split', () => {
  const define: Define = ([control, gold]) => [
    { MetaValueSplit: { split_key: 'card', control, routes: { gold, 7: gold, true: gold } } },
  ];

  it('sends each row by the value of its key, all others to the control', async () => {
    const { rows, records } = await setup([double, triple], define);
    const answer = rows(['gold', 'silver', 'gold'].map((card, at) => ({ tensor: [at + 1], card })));
    expect(answer.map((row) => row['out.y'])).toEqual([[3], [4], [9]]);
    expect(answer.map((row) => splitOf(row)[0].name)).toEqual(['triple', 'double', 'triple']);
    expect(answer[0]!['in.card']).toBe('gold');
    expect(records[0]!.lastModel.name).toBe('triple');
  });

  it.each([
    [7, [3]],
    [8, [2]],
    [true, [3]],
    [false, [2]],
  ])('reads the key %j as text', async (card, out) => {
    const { rows } = await setup([double, triple], define);
    expect(rows([{ tensor: [1], card }])[0]!['out.y']).toEqual(out);
  });

  it.each([[{ tensor: [1] }], [{ tensor: [1], card: ['gold', 'gold'] }]])(
    'sends %j, without a key of one value, to the control',
    async (row) => {
      const { rows } = await setup([double, triple], define);
      expect(rows([row])[0]!['out.y']).toEqual([2]);
    },
  );
});

describe('rows to models', () => {
  const define: Define = (models) => [
    { RowsToModels: { rows_to_models: models.map((model, row_index) => ({ row_index, model })) } },
  ];

  it('gives each row to the model of its place', async () => {
    const { rows } = await setup([double, triple], define);
    const answer = rows([{ tensor: [1] }, { tensor: [1] }]);
    expect(answer.map((row) => row['out.y'])).toEqual([[2], [3]]);
    expect(answer[0]).not.toHaveProperty('out._model_split');
  });

  it('refuses a row without a model', async () => {
    const { refusal } = await setup([double, triple], define);
    expect(refusal([{ tensor: [1] }, { tensor: [1] }, { tensor: [1] }])).toBe(
      'invalid_input: Step 1 (RowsToModels) has no model for row 2 of the 3 sent.',
    );
  });

  it('gets one row for each column from ColumnsToRows, and the answer has the request’s rows again', async () => {
    const { rows } = await setup([double, triple], (models) => [{ ColumnsToRows: {} }, ...define(models)]);
    const answer = rows([{ tensor: [1, 10] }, { tensor: [2, 20] }]);
    expect(answer.map((row) => row['out.y'])).toEqual([
      [2, 30],
      [4, 60],
    ]);
  });

  it('takes plain numbers of several columns as one row too', async () => {
    const { rows } = await setup([double, triple], (models) => [{ ColumnsToRows: {} }, ...define(models)]);
    expect(rows([{ a: 1, b: 10, note: 'text' }])[0]!['out.y']).toEqual([2, 30]);
  });

  it('can be averaged over the columns', async () => {
    const { rows } = await setup([double, triple], (models) => [
      { ColumnsToRows: {} },
      ...define(models),
      { Average: {} },
    ]);
    expect(rows([{ tensor: [1, 10] }, { tensor: [2, 20] }]).map((row) => row['out.y'])).toEqual([[16], [32]]);
  });
});

describe('an average of models', () => {
  it('is the mean of each value', async () => {
    const { rows } = await setup([double, triple], (models) => [inference(...models), { Average: {} }]);
    expect(rows([{ tensor: [1] }, { tensor: [10] }]).map((row) => row['out.y'])).toEqual([[2.5], [25]]);
  });

  it('reaches all models by the input name of any', async () => {
    const other = { name: 'other', file: timesModel(3, { input: 'elsewhere' }) };
    const { rows } = await setup([double, other], (models) => [inference(...models), { Average: {} }]);
    expect(rows([{ x: [1] }])[0]!['out.y']).toEqual([2.5]);
  });

  it('is logged with the results that are audited', async () => {
    const { infer, records } = await setup([double, triple], (models) => [
      inference(...models),
      { AuditResults: { from: 1, to: null } },
      { Average: {} },
    ]);
    expect(infer('[{"tensor":[1]}]')).not.toContain('out_triple');
    expect(records[0]!.columns.map(({ name, values }) => [name, [...values]])).toEqual([
      ['in.tensor', [1]],
      ['out.y', [2.5]],
      ['out_triple.y', [3]],
    ]);
  });

  it('of whole numbers is a float64', async () => {
    const label = (value: number): Buffer =>
      writeOnnxModel({
        graph: {
          nodes: [{ op: 'Add', inputs: ['x', 'label'], outputs: ['y'] }],
          inputs: [{ name: 'x', type: 'int64', shape: ['N', 1] }],
          outputs: [{ name: 'y', type: 'int64', shape: ['N', 1] }],
          initializers: [{ name: 'label', type: 'int64', dims: [1], raw: int64s(value) }],
        },
      });
    const models = [1, 2].map((value) => ({ name: `m${value}`, file: label(value) }));
    const { rows } = await setup(models, (references) => [inference(...references), { Average: {} }]);
    expect(rows([{ tensor: [0] }])[0]!['out.y']).toEqual([1.5]);
  });

  it.each([
    ['text', identityModel('string', ['N', 1]), 'the output "y" of model "other" holds no numbers to average.'],
    ['several outputs', multipleInputsModel(), 'the output "unmasked" of model "other" holds no numbers'],
    ['more outputs', pairModel(), 'models that are averaged must have as many outputs each.'],
  ])('refuses models with %s when it is loaded', async (_what, file, sentence) => {
    const define: Define = (models) => [inference(...models), { Average: {} }];
    await expect(setup([double, { name: 'other', file }], define)).rejects.toThrow(sentence);
  });

  it('refuses outputs of different widths', async () => {
    const wide = { name: 'wide', file: identityModel('float32', ['N', 'M']) };
    const { refusal } = await setup([{ name: 'sum', file: sumModel(2) }, wide], (models) => [
      inference(...models),
      { Average: {} },
    ]);
    expect(refusal([{ tensor: [1, 2] }])).toBe(
      'invalid_input: Step 1 (ModelInference): the outputs of the models have no common shape of numbers.',
    );
  });
});

describe('columns', () => {
  const selecting =
    (...columns: number[]): Define =>
    ([model]) => [{ ColumnsSelect: { columns } }, inference(model)];
  const pair = { name: 'pair', file: identityModel('float32', ['N', 2]) };

  it('are selected before a model, in the order that the step names', async () => {
    const { rows } = await setup([pair], selecting(3, 0));
    const answer = rows([{ tensor: [1, 2, 3, 4] }, { tensor: [5, 6, 7, 8] }]);
    expect(answer.map((row) => row['out.y'])).toEqual([
      [4, 1],
      [8, 5],
    ]);
    expect(answer[0]!['in.tensor']).toEqual([1, 2, 3, 4]);
  });

  it('of plain numbers are selected by their place', async () => {
    const { rows } = await setup([pair], selecting(2, 0));
    expect(rows([{ a: 1, b: 2, text: 'x', c: 3 }])[0]!['out.y']).toEqual([3, 1]);
  });

  it.each([
    [{ tensor: [1, 2, 3] }, 'Step 1 (ColumnsSelect): "tensor" has 3 columns, so there is no column 3.'],
    [{ tensor: [1], other: [2] }, 'works on one list of numbers a row, but there are "tensor", "other".'],
    [{ text: 'x' }, 'Step 1 (ColumnsSelect) found no numbers in the request.'],
  ])('of %j are refused', async (row, sentence) => {
    const { refusal } = await setup([pair], selecting(3, 0));
    expect(refusal([row])).toContain(`invalid_input: Step 1 (ColumnsSelect)`);
    expect(refusal([row])).toContain(sentence);
  });

  it('after a model with several outputs are its outputs', async () => {
    const { rows } = await setup([{ name: 'both', file: pairModel() }], ([model]) => [
      inference(model),
      { ColumnsSelect: { columns: [1] } },
    ]);
    const [row] = rows([{ tensor: [5] }]);
    expect(row).toMatchObject({ 'out.second': [-5] });
    expect(row).not.toHaveProperty('out.first');
  });
});

describe('input data to a type', () => {
  const define =
    (data_type: string): Define =>
    ([model]) => [{ InputDataToType: { data_type } }, inference(model)];
  const exact = { name: 'exact', file: identityModel('float64', ['N', 1]) };

  it('rounds as the type does, whatever the model takes', async () => {
    const { rows } = await setup([exact], define('f32'));
    expect(rows([{ tensor: [0.1] }])[0]!['out.y']).toEqual([Math.fround(0.1)]);
  });

  it('refuses numbers that the type cannot hold, and leaves texts alone', async () => {
    const { rows, refusal } = await setup([exact], define('i8'));
    expect(rows([{ tensor: [7], note: 'x' }])[0]!['out.y']).toEqual([7]);
    expect(refusal([{ tensor: [300] }])).toMatch(/^invalid_input: Row 0, column "tensor".*300/);
  });
});

it('models run one row at a time when their batch is fixed, routed or not', async () => {
  const one = { name: 'one', file: identityModel('float32', [1, 1]) };
  const { rows } = await setup([one, double], ([control, routed]) => [
    { MetaValueSplit: { split_key: 'k', control, routes: { a: routed } } },
  ]);
  expect(rows(['b', 'a', 'c'].map((k, at) => ({ tensor: [at + 1], k }))).map((row) => row['out.y'])).toEqual([
    [1],
    [4],
    [3],
  ]);
});
