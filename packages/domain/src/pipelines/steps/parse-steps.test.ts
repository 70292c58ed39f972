import { expect, test } from 'vitest';
import { parseSteps } from './parse-steps.ts';
import { modelsOf } from './pipeline-step.ts';

const model = (name: string) => ({ name, version: '3f0d9a9e-0a39-4a1c-9a5c-0f4a3c1c2b1d', sha: 'f00d' });

test.each([
  [{ ModelInference: { models: [model('a')] } }, { kind: 'ModelInference', models: [model('a')] }],
  [
    { RowsToModels: { rows_to_models: [{ row_index: 2, model: model('a') }] } },
    { kind: 'RowsToModels', routes: [{ rowIndex: 2, model: model('a') }] },
  ],
  [
    { MetaValueSplit: { split_key: 'card', control: model('a'), routes: { gold: model('b') } } },
    { kind: 'MetaValueSplit', splitKey: 'card', control: model('a'), routes: new Map([['gold', model('b')]]) },
  ],
  [
    { RandomSplit: { hash_key: null, weights: [{ model: model('a'), weight: 2 }] } },
    { kind: 'RandomSplit', hashKey: null, weights: [{ model: model('a'), weight: 2 }] },
  ],
  [{ AuditResults: { from: 1, to: null } }, { kind: 'AuditResults', from: 1, to: null }],
  [{ Check: { tree: ['{}'] } }, { kind: 'Check', tree: ['{}'] }],
  [{ Nth: { index: 0 } }, { kind: 'Nth', index: 0 }],
  [{ MultiOut: {} }, { kind: 'MultiOut' }],
  [{ Average: null }, { kind: 'Average' }],
  [{ ColumnsSelect: { columns: [0, 3] } }, { kind: 'ColumnsSelect', columns: [0, 3] }],
  [{ ColumnsToRows: {} }, { kind: 'ColumnsToRows' }],
  [{ InputDataToType: { data_type: 'f64' } }, { kind: 'InputDataToType', dataType: 'f64' }],
  [{ InputDataToType: { data_type: 'ValidDataType.i8' } }, { kind: 'InputDataToType', dataType: 'i8' }],
])('%j is read as both SDK generations mean it', (step, expected) => {
  expect(parseSteps([step])).toEqual([expected]);
});

test('the models of a step are told with the champion or control first', () => {
  const steps = parseSteps([
    { ModelInference: { models: [model('champion'), model('challenger')] } },
    { MetaValueSplit: { split_key: 'k', control: model('control'), routes: { x: model('routed') } } },
    { RandomSplit: { hash_key: 'id', weights: [{ model: model('half'), weight: 1 }] } },
    { AuditResults: { from: 1, to: null } },
  ]);
  const names = steps.flatMap((step) => modelsOf(step).map((each) => each.name));
  expect(names).toEqual(['champion', 'challenger', 'control', 'routed', 'half']);
});

test.each([
  [{}, 'Step 1 must be an object of one key'],
  [{ MultiOut: {}, Nth: {} }, 'object of one key'],
  [null, 'object of one key'],
  [{ Shuffle: {} }, 'Step 1 is of the unknown kind "Shuffle"; known are ModelInference,'],
  [{ toString: {} }, 'unknown kind "toString"'],
  [{ ModelInference: [] }, 'must hold an object'],
  [{ ModelInference: { models: [] } }, 'models must be a list that is not empty'],
  [{ ModelInference: { models: [{ ...model('a'), version: '1' }] } }, 'models[0] must name a model by name, version'],
  [{ ModelInference: { models: Array(101).fill(model('a')) } }, 'more than 100'],
  [{ Nth: { index: -1 } }, 'index must be a whole number from 0'],
  [{ AuditResults: { from: '1' } }, 'from must be a whole number'],
  [{ RandomSplit: { weights: [{ model: model('a'), weight: Number.NaN }] } }, 'weight must be a number from 0'],
  [{ RandomSplit: { weights: [{ model: model('a'), weight: 0 }] } }, 'at least one weight must be above 0'],
  [{ MetaValueSplit: { split_key: 'k', control: model('a'), routes: [] } }, 'routes must be an object'],
  [{ Check: { tree: [{}] } }, 'tree[0] must be a text'],
  [{ InputDataToType: { data_type: 'f16' } }, 'data_type is "f16"; known are f32, f64,'],
  [
    { RowsToModels: { rows_to_models: [1, 1].map((row_index) => ({ row_index, model: model('a') })) } },
    'has a row_index twice',
  ],
])('%j is refused with what is wrong', (step, sentence) => {
  expect(() => parseSteps([step])).toThrow(sentence);
});

test('a list of steps may be absent but not be something else, or longer than 100', () => {
  expect(parseSteps(undefined)).toEqual([]);
  expect(() => parseSteps('all')).toThrow('must be a list');
  expect(() => parseSteps(Array(101).fill({ MultiOut: {} }))).toThrow('at most 100');
});
