import type { Column } from '@pademelon/contracts';
import type { ModelReference } from '@pademelon/domain/pipeline-steps';
import { identityModel, sumModel } from '@pademelon/testing/onnx';
import { tableFromIPC } from 'apache-arrow';
import { afterEach, expect, it } from 'vitest';
import { ModelRegistry } from '../model-registry.ts';
import { Pipeline } from '../pipeline.ts';
import { arrowType, pipelineBench, placeModels, type TestModel, testTime, versionOf } from '../pod-bench.ts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

async function setup(models: readonly TestModel[], define: (models: readonly ModelReference[]) => readonly unknown[]) {
  const bench = await pipelineBench(models, define);
  removals.push(bench.remove);
  return { ...bench, rows: (body: unknown, headers = {}) => JSON.parse(bench.infer(JSON.stringify(body), headers)) };
}

const sum = { name: 'sum', file: sumModel(3) };
const old = { userAgent: 'WallarooSDK/2023.2.0' };
const body = [{ tensor: [1, 2, 3] }, { tensor: [4, 5, 6] }];

const first = (path: string) => ({
  Function: { input: [{ Column: path }, { Literal: { Int32: 0 } }], function: { ListExpr: 'Get' } },
});
const anomaly = (name: string, left: unknown, op: string, right: number) =>
  JSON.stringify({ Alias: [{ BinaryExpr: { left, op, right: { Literal: { Float64: right } } } }, name] });
const must = (name: string, op: string, value: number, { model = 'sum', position = 'output', key = [0, 0] } = {}) =>
  JSON.stringify({
    values: {
      [name]: {
        root: {
          node: 'binop',
          op,
          left: { node: 'variable', variant_id: { name: model }, position, key },
          right: { node: 'literal', float: value },
        },
      },
    },
    gauges: [],
    validations: [name],
  });
const inference = (...models: ModelReference[]) => ({ ModelInference: { models } });
const checked =
  (...tree: string[]) =>
  (models: readonly ModelReference[]) => [...models.map((model) => inference(model)), { Check: { tree } }];

const dear = anomaly('too_dear', first('out.y'), 'Gt', 10);
const large = anomaly('large', first('in.tensor'), 'Gt', 3);

it('answers name the anomalies of each row, in the order of their names', async () => {
  const { infer, rows } = await setup([sum], checked(dear, large));
  expect(infer(JSON.stringify(body))).toBe(
    `[{"time":${testTime},"in.tensor":[1,2,3],"out.y":[6.0],"anomaly.count":0,"anomaly.large":false,"anomaly.too_dear":false},` +
      `{"time":${testTime},"in.tensor":[4,5,6],"out.y":[15.0],"anomaly.count":2,"anomaly.large":true,"anomaly.too_dear":true}]`,
  );
  const target = '/infer?dataset[]=time&dataset[]=anomaly.count&dataset.exclude[]=anomaly&dataset.separator=.';
  expect(rows(body, { target })).toEqual([
    { time: testTime, 'anomaly.count': 0 },
    { time: testTime, 'anomaly.count': 2 },
  ]);
  expect(rows(body, { target: '/infer' })[1].anomaly).toEqual({ count: 2, large: true, too_dear: true });
});

it('answers to the 2023 generation list the checks that failed', async () => {
  const { rows } = await setup([sum], checked(must('price too high', '<', 10), dear));
  expect(rows(body, old).map((row: Record<string, unknown>) => row['check_failures'])).toEqual([
    [],
    ['price too high', 'too_dear'],
  ]);
});

it('Arrow answers have the columns of each generation', async () => {
  const { inferBytes } = await setup([sum], checked(dear, must('cheap', '<', 10)));
  const table = (userAgent?: string) =>
    tableFromIPC(inferBytes(JSON.stringify(body), { accept: arrowType, userAgent }));
  const recent = table();
  expect(recent.schema.fields.map(({ name }) => name)).toEqual([
    'time',
    'in.tensor',
    'out.y',
    'anomaly.count',
    'anomaly.cheap',
    'anomaly.too_dear',
  ]);
  expect([...recent.getChild('anomaly.too_dear')!]).toEqual([false, true]);
  expect([...recent.getChild('anomaly.count')!]).toEqual([0, 2]);
  const failures = [...table(old.userAgent).getChild('check_failures')!].map((names) => [...names]);
  expect(failures).toEqual([[], ['too_dear', 'cheap']]);
});

it('the classic form shows what did not hold', async () => {
  const { rows } = await setup([sum], checked(must('price too high', '<', 10), dear));
  const classic = { contentType: 'application/json' };
  expect(rows({ tensor: [[1, 2, 3]] }, classic)[0].check_failures).toEqual([]);
  expect(rows({ tensor: [[4, 5, 6]] }, classic)[0].check_failures).toEqual([
    { False: { expr: 'sum.outputs[0][0] < 10' } },
    'too_dear',
  ]);
});

it('of two checks with one name the latest is shown, and both count', async () => {
  const { rows } = await setup([sum], (models) => [
    ...checked(anomaly('odd', first('out.y'), 'Gt', 10))(models),
    { Check: { tree: [anomaly('odd', first('out.y'), 'Gt', 100)] } },
  ]);
  expect(rows(body)[1]).toMatchObject({ 'anomaly.count': 1, 'anomaly.odd': false });
});

it('the log holds the names of the failed checks of each row', async () => {
  const { infer, records } = await setup([sum], checked(dear, must('fine', '<', 100)));
  infer(JSON.stringify(body));
  infer(JSON.stringify(body.slice(0, 1)));
  expect(records.map(({ checkFailures }) => checkFailures)).toEqual([[[], ['too_dear']], null]);
});

it('a check reads the models of a chain, their inputs too, where it stands', async () => {
  const twice = { name: 'twice', file: sumModel(1) };
  const { rows } = await setup([sum, twice], ([one, two]) => [
    inference(one!),
    { Check: { tree: [must('sum', '<', 10), must('input', '<', 4, { position: 'input' })] } },
    inference(two!),
    { Check: { tree: [must('sum again', '<', 10), must('twice', '<', 10, { model: 'twice', key: [0] })] } },
  ]);
  expect(rows(body, old)[1].check_failures).toEqual(['sum', 'input', 'sum again', 'twice']);
  expect(rows(body, old)[0].check_failures).toEqual([]);
});

it('a check reads request columns that no model takes', async () => {
  const { rows } = await setup(
    [sum],
    checked(
      JSON.stringify({
        Alias: [{ BinaryExpr: { left: { Column: 'in.kind' }, op: 'Eq', right: { Literal: { Utf8: 'b' } } } }, 'kind'],
      }),
    ),
  );
  const answer = rows([
    { tensor: [1, 2, 3], kind: 'a' },
    { tensor: [1, 2, 3], kind: 'b' },
  ]);
  expect(answer.map((row: Record<string, unknown>) => row['anomaly.kind'])).toEqual([false, true]);
});

it('a check after Average looks at the rows of the request again', async () => {
  const one = { name: 'one', file: identityModel('float32', ['N', 1]) };
  const { rows } = await setup([one], ([model]) => [
    { ColumnsToRows: {} },
    inference(model!),
    { Average: {} },
    { Check: { tree: [anomaly('high', first('out.y'), 'Gt', 3), large] } },
  ]);
  expect(rows(body)).toMatchObject([
    { 'out.y': [2], 'anomaly.high': false, 'anomaly.large': false },
    { 'out.y': [5], 'anomaly.high': true, 'anomaly.large': true },
  ]);
});

it('a check after a script reads what it gives and what it was given', async () => {
  const { models, remove } = placeModels([sum]);
  removals.push(remove);
  const label: Column = { name: 'label', type: 'utf8', rowShape: [], values: ['fine', 'odd'] };
  const identity = { name: 'post', version: versionOf(1), sha: 'f00d' };
  const script = { identity, model: { run: async () => [label] } };
  const isOdd = { BinaryExpr: { left: { Column: 'out.label' }, op: 'Eq', right: { Literal: { Utf8: 'odd' } } } };
  const tree = [
    JSON.stringify({ Alias: [isOdd, 'odd'] }),
    must('given', '<', 10, { model: 'post', position: 'input' }),
    must('sum', '<', 5),
  ];
  const pipeline = new Pipeline(
    [inference(models[0]!), inference(identity), { Check: { tree } }],
    ModelRegistry.load(models, 1),
    { script: ({ name }) => (name === 'post' ? script : null) },
  );
  const tensor: Column = { name: 'tensor', type: 'float32', rowShape: [3], values: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const { checks } = await pipeline.runLater({ rowCount: 2, columns: [tensor] });
  expect(checks.map(({ name, failures }) => [name, ...failures])).toEqual([
    ['odd', 0, 1],
    ['given', 0, 1],
    ['sum', 1, 1],
  ]);
});

it('an output that no model has is refused when the pod starts, an input that a request lacks with the request', async () => {
  await expect(setup([sum], checked(anomaly('x', first('out.z'), 'Gt', 1)))).rejects.toThrow(
    'Step 2 (Check): the check "x" reads "out.z"; the models have out.y.',
  );
  const { infer } = await setup([sum], checked(anomaly('x', first('in.z'), 'Gt', 1)));
  expect(infer(JSON.stringify(body))).toBe(
    'invalid_input: The check "x" reads "in.z", but the rows have in.tensor, out.y.',
  );
});
