import { forestModel, identityModel, treeEnsembleModel } from '@pademelon/testing/onnx';
import { afterEach, expect, it } from 'vitest';
import { ModelRegistry } from './model-registry.ts';
import { placeModels, versionOf } from './pod-bench.ts';
import { OnnxSession } from './runtimes/onnx.ts';

const removals: (() => void)[] = [];
afterEach(() => {
  for (const remove of removals.splice(0)) remove();
});

function isRunByOnnxRuntime(file: Buffer, threads: number): boolean {
  const { models, remove } = placeModels([{ name: 'model', file }]);
  removals.push(remove);
  const { session } = ModelRegistry.load(models, threads).find('model', versionOf(0));
  return session instanceof OnnxSession;
}

const forest = forestModel({ features: 3, trees: 10, depth: 3 });
const strange = treeEnsembleModel({ features: 3, nodes: [{ tree: 0, id: 0, value: 1 }], targets: 2 });

it.each([
  ['a forest', 1, forest, false],
  ['a forest', 2, forest, false],
  ['a forest', 8, forest, true],
  ['a forest that is not understood', 1, strange, true],
  ['a forest that is not understood', 2, strange, true],
  ['another model', 1, identityModel(), true],
])('%s with %i threads: by ONNX Runtime or not', (_, threads, file, expected) => {
  expect(isRunByOnnxRuntime(file, threads)).toBe(expected);
});
