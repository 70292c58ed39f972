import { expect, test } from 'vitest';
import { readStepMemory } from './step-memory.ts';

const model = { name: 'post', versionId: 7 };
const limits = (memory: unknown) => ({ resources: { limits: { memory } } });

test.each([
  [{ engine: limits('2Gi'), engineAux: { images: { 'post-7': limits('512Mi') } } }, 512 * 2 ** 20],
  [{ engine: limits('2Gi'), engineAux: { images: { 'post-8': limits('512Mi') } } }, 2 * 2 ** 30],
  [{ engine: {} }, null],
  [{ engine: limits('plenty'), engineAux: null }, null],
  [null, null],
])('of %j a step gets %j bytes', (engineConfig, bytes) => {
  expect(readStepMemory(engineConfig, model)).toBe(bytes);
});
