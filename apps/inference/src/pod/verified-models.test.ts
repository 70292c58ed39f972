import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { arrowType, dataPlaneBench } from './pod-bench.ts';

/*
 * Real models against values that the Python ONNX Runtime gave (assets/MANIFEST.md). The assets lie beside the
 * repository and are not part of it; without them these tests are skipped.
 */
const assets = resolve(import.meta.dirname, '../../../../../shared/assets');
const model = (name: string) => ({ name, file: join(assets, 'models', `${name}.onnx`) });
const data = (path: string) => readFileSync(join(assets, path));

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

type Row = Record<string, number[] & number>;

async function serve(...names: string[]) {
  const bench = await dataPlaneBench(...names.map(model));
  removals.push(bench.remove);
  const rows = (body: string | Buffer, contentType?: string): Row[] =>
    JSON.parse(bench.infer(body, contentType === undefined ? {} : { contentType, accept: 'application/json' }));
  return { rows, infer: bench.infer };
}

/** Outputs of a row differ in the last digits with the number of rows that are run at once. */
function expectNear(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((value, index) => {
    const wanted = expected[index]!;
    expect(Math.abs(value - wanted), `${value} should be ${wanted}`).toBeLessThanOrEqual(Math.abs(wanted) * 1e-6);
  });
}

const one = (name: string, width: number, value = 0) =>
  JSON.stringify([{ [name]: new Array<number>(width).fill(value) }]);
const outs = (rows: Row[], name: string) => rows.map((row) => row[`out.${name}`]![0]!);

describe.skipIf(!existsSync(assets))(`models of ${existsSync(assets) ? 'the assets' : 'absent assets'}`, () => {
  it.each([
    ['rf_model', 'float_input', [718013.625, 615094.5, 448627.71875, 758714.125, 513264.65625]],
    ['gbr_model', 'float_input', [704901.9375, 695994.4375, 416164.8125, 655277.1875, 426854.65625]],
    ['xgb_model', 'input', [659806, 732883.5, 419508.84375, 634028.75, 427209.4375]],
  ])('%s gives the verified house prices, from JSON and from Arrow', async (name, _input, expected) => {
    const { rows } = await serve(name);
    const fromJson = outs(rows(data('data/xtest-1k.df.json')), 'variable');
    const fromArrow = outs(rows(data('data/xtest-1k.arrow'), arrowType), 'variable');
    expectNear(fromJson.slice(0, 5), expected);
    expect(fromArrow).toEqual(fromJson);
  });

  it('rf_model finds the same nine expensive houses', async () => {
    const { rows } = await serve('rf_model');
    const prices = outs(rows(data('data/xtest-1k.df.json')), 'variable');
    expect(prices.flatMap((price, row) => (price > 1_500_000 ? [row] : []))).toEqual([
      30, 248, 255, 556, 698, 711, 722, 782, 965,
    ]);
    expectNear([prices.reduce((sum, price) => sum + price) / 1000], [539489.479234375]);
    expectNear(
      outs(rows(data('data/biginputs.df.json')), 'variable').slice(0, 3),
      [1514079.375, 1967344.125, 2002393.625],
    );
  });

  it('keras_ccfraud gives the verified fraud scores', async () => {
    const { rows } = await serve('keras_ccfraud');
    expectNear(outs(rows(data('cc/smoke_test.df.json')), 'dense_1'), [0.001497417688369751]);
    expectNear(outs(rows(data('cc/dev_high_fraud.json')), 'dense_1'), [0.9811990261077881]);
    const many = outs(rows(data('cc/cc_data_1k.df.json')), 'dense_1');
    expect(many).toEqual(outs(rows(data('cc/cc_data_1k.arrow'), arrowType), 'dense_1'));
    expect(many.length).toBe(1001);
  });

  it('demand_curve_v1 takes float64', async () => {
    const { rows } = await serve('demand_curve_v1');
    expectNear(outs(rows('[{"double_input":[0,0,1]}]'), 'variable'), [-44.646402519929154]);
  });

  it('isolet gives an int64 label and probabilities', async () => {
    const { rows, infer } = await serve('isolet_logistic_model_numclass');
    const [row] = rows(one('tensor', 617));
    expectNear(row!['out.probabilities']!, [0.10465491, 0.8953451]);
    expect(infer(one('tensor', 617))).toContain('"out.label":1,');
  });

  it('multi_io has two inputs and two outputs', async () => {
    const { rows } = await serve('multi_io');
    const ones = (width: number) => new Array<number>(width).fill(1);
    const [row] = rows(JSON.stringify([{ input_1: ones(10), input_2: ones(5) }]));
    expectNear(row!['out.output_1']!, [-0.36226803064346313, -0.4853655993938446, -0.1778651475906372]);
    expectNear(row!['out.output_2']!, [-0.21646125614643097, -0.09395326673984528]);
  });

  it('the embedder and the sentiment model work as one pipeline', async () => {
    const { rows } = await serve('imdb_embedder', 'imdb_sentiment_model');
    const tokens = [11, 6, 1, 12, ...new Array<number>(96).fill(0)];
    const [row] = rows(JSON.stringify([{ tensor: tokens }]));
    expect(row!['out.dense_1']![0]).toBeGreaterThan(0);
    expect(row!['out.dense_1']![0]).toBeLessThan(1);
  });

  it.each([
    ['housing_model_xgb', 18, 'variable', 4.875005722045898],
    ['pytorchbikeshare', 58, 'modelOutput', -0.5860008597373962],
  ])('%s gives the verified value for zeros', async (name, width, output, expected) => {
    const { rows } = await serve(name);
    expectNear(outs(rows(one('tensor', width)), output), [expected]);
  });
});
