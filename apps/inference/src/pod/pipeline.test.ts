import { externalDataModel, hugeAllocationModel, sumModel } from '@pademelon/testing/onnx';
import { afterEach, describe, expect, it } from 'vitest';
import { ModelRegistry } from './model-registry.ts';
import { Pipeline } from './pipeline.ts';
import { placeModels, versionOf } from './pod-bench.ts';

const placed: (() => void)[] = [];
afterEach(() => {
  for (const remove of placed.splice(0)) remove();
});

function load(file: Buffer): ModelRegistry {
  const { models, remove } = placeModels([{ name: 'm', file }]);
  placed.push(remove);
  return ModelRegistry.load(models, 1);
}

describe('pipeline definitions', () => {
  const model = { name: 'm', version: versionOf(0), sha: 's' };
  const single = { ModelInference: { models: [model] } };

  it.each<[string, unknown[], string]>([
    ['no steps', [], 'The pipeline has no steps.'],
    ['an unknown kind', [{ Teleport: {} }], 'Step 1 is of the unknown kind "Teleport"; known are ModelInference,'],
    ['a kind of every object', [{ toString: {} }], 'Step 1 is of the unknown kind "toString"'],
    ['two kinds in one step', [{ ModelInference: {}, Check: {} }], 'Step 1 must be an object of one key, its kind'],
    ['a step that is none', [7], 'Step 1 must be an object of one key, its kind'],
    ['a step without a model', [{ ModelInference: { models: [] } }], 'Step 1 (ModelInference): models must be a list'],
    ['a step that cannot work', [single, { Nth: { index: 1 } }], 'Step 2 (Nth) selects the result 1, but there is 1.'],
    [
      'challengers where none can be started',
      [{ ModelInference: { models: [model, model] } }],
      'The model "m" cannot run beside another one here.',
    ],
    [
      'a model that the deployment lacks',
      [{ ModelInference: { models: [{ ...model, name: 'other' }] } }],
      `The pipeline names model "other" of version ${versionOf(0)}, which the deployment does not have.`,
    ],
  ])('with %s are refused', (_what, steps, sentence) => {
    const registry = load(sumModel());
    expect(() => new Pipeline(steps, registry)).toThrow(sentence);
  });

  it.each<[boolean, string, unknown[]]>([
    [true, 'one model', [single]],
    [true, 'a chain of models', [single, single]],
    [false, 'several models side by side', [{ ModelInference: { models: [model, model] } }, { Average: {} }]],
    [false, 'a split', [{ MetaValueSplit: { split_key: 'card', control: model, routes: {} } }]],
    [false, 'a column step', [{ ColumnsSelect: { columns: [0] } }, single]],
  ])('reading none but the hinted columns: %s for %s', (takesOnlyHinted, _what, steps) => {
    expect(new Pipeline(steps, load(sumModel())).takesOnlyHinted).toBe(takesOnlyHinted);
  });
});

describe('models', () => {
  it('that are no ONNX are refused without their path', () => {
    expect(() => load(Buffer.from('pickle'))).toThrow(/^Model "m" cannot be loaded: (?!.*pademelon-pod)/);
  });

  it('that are cut short are refused', () => {
    expect(() => load(sumModel().subarray(0, 60))).toThrow(/^Model "m" cannot be loaded: /);
  });

  it('that reach for files beside them are refused', () => {
    expect(() => load(externalDataModel())).toThrow(/^Model "m" cannot be loaded: /);
  });

  it('that want more memory than there is fail when they are warmed up', () => {
    expect(() => load(hugeAllocationModel())).toThrow(/^Model "m" failed on this input: /);
  });
});
