import { describe, expect, it } from 'vitest';
import { parseSteps } from './parse-steps.ts';
import { type ModelFanOut, planSteps } from './plan-steps.ts';
import { unsupportedSteps } from './unsupported-steps.ts';

const model = (name: string) => ({ name, version: '3f0d9a9e-0a39-4a1c-9a5c-0f4a3c1c2b1d', sha: 'f00d' });
const run = (...names: string[]) => ({ ModelInference: { models: names.map(model) } });
const audit = (from: number, to: number | null = null) => ({ AuditResults: { from, to } });
const multiOut = { MultiOut: {} };
const nth = (index: number) => ({ Nth: { index } });
const average = { Average: {} };
const columnsToRows = { ColumnsToRows: {} };
const rowsToModels = { RowsToModels: { rows_to_models: [{ row_index: 0, model: model('r') }] } };
const check = { Check: { tree: ['{"values":{},"gauges":[],"validations":[]}'] } };

describe('results of several models', () => {
  it.each<[string, unknown[], Partial<ModelFanOut>]>([
    ['a shadow deployment', [run('a', 'b', 'c'), audit(1), multiOut], { answering: 0, answered: [1, 2], audited: [] }],
    ['one selected, the others audited', [run('a', 'b', 'c'), audit(1), nth(0)], { answering: 0, audited: [1, 2] }],
    ['another one selected', [run('a', 'b', 'c'), audit(0, 2), nth(1)], { answering: 1, answered: [], audited: [0] }],
    ['one selected, nothing audited', [run('a', 'b'), nth(1)], { answering: 1, answered: [], audited: [] }],
    ['an average', [run('a', 'b'), average], { answering: 'average', answered: [], audited: [] }],
    ['an audited average', [run('a', 'b'), audit(0), average], { answering: 'average', audited: [0, 1] }],
    ['nothing said of them', [run('a', 'b')], { answering: 0, answered: [1], audited: [] }],
    ['a check in between', [run('a', 'b'), check, audit(1), multiOut], { answering: 0, answered: [1] }],
  ])('of %s', (_what, definition, expected) => {
    const { steps, complaints } = planSteps(parseSteps(definition));
    expect(complaints).toEqual([]);
    expect(steps[0]).toMatchObject({ at: 'Step 1 (ModelInference)', step: { kind: 'ModelFanOut', ...expected } });
  });

  it('go on as one: the champion of a shadow deployment feeds the next model', () => {
    const { steps, complaints } = planSteps(parseSteps([run('a', 'b'), audit(1), multiOut, run('c')]));
    expect(complaints).toEqual([]);
    expect(steps.map(({ at, step }) => [at, step.kind])).toEqual([
      ['Step 1 (ModelInference)', 'ModelFanOut'],
      ['Step 4 (ModelInference)', 'ModelInference'],
    ]);
  });
});

it('an average of what ColumnsToRows took apart is a step of its own', () => {
  const { steps, complaints } = planSteps(parseSteps([columnsToRows, rowsToModels, average]));
  expect(complaints).toEqual([]);
  expect(steps.map(({ step }) => step.kind)).toEqual(['ColumnsToRows', 'RowsToModels', 'AverageRows']);
});

it.each([
  [[run('a'), run('b'), multiOut, audit(0), nth(0)]],
  [[{ ColumnsSelect: { columns: [0] } }, { InputDataToType: { data_type: 'f32' } }, run('a')]],
  [[run(...Array(9).fill('a')), multiOut]],
  [[run(...Array(100).fill('a')), average]],
  [[run(...Array(100).fill('a')), nth(99)]],
  [[]],
])('%j can be served', (definition) => {
  expect(unsupportedSteps(parseSteps(definition))).toEqual([]);
});

it.each<[unknown[], string]>([
  [[run('a', 'b'), run('c')], 'Step 2 (ModelInference) takes one result, but Step 1 (ModelInference) leaves 2;'],
  [[run('a', 'b'), nth(2)], 'Step 2 (Nth) selects the result 2, but there are 2.'],
  [[run('a'), nth(1)], 'Step 2 (Nth) selects the result 1, but there is 1.'],
  [[run('a', 'b'), audit(2)], 'Step 2 (AuditResults) audits the results 2:, but there are 2.'],
  [[run('a', 'b'), audit(1, 1)], 'Step 2 (AuditResults) audits the results 1:1, but there are 2.'],
  [[run('a'), average], 'Step 2 (Average) needs several results, as of a step with several models, but there is 1.'],
  [[multiOut, run('a')], 'Step 1 (MultiOut) needs the result of a model step before it.'],
  [[nth(0), run('a')], 'Step 1 (Nth) needs the result of a model step before it.'],
  [[check, run('a')], 'Step 1 (Check) needs the result of a model step before it.'],
  [[columnsToRows, columnsToRows, rowsToModels], 'Step 2 (ColumnsToRows) takes columns apart that an earlier step'],
  [[columnsToRows, run('a', 'b')], 'Step 2 (ModelInference) has several models, which cannot take the rows'],
  [[columnsToRows, rowsToModels, check], 'Step 3 (Check) cannot check what ColumnsToRows took apart before Average.'],
  [[run(...Array(10).fill('a'))], 'Step 1 (ModelInference): a pipeline has at most 8 challengers, not 9.'],
  [[{ ColumnsSelect: { columns: [0] } }], 'No step of the pipeline runs a model; add a model step.'],
])('%j is refused with the step that cannot work', (definition, sentence) => {
  expect(unsupportedSteps(parseSteps(definition)).join(' ')).toContain(sentence);
});
