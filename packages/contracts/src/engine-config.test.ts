import { expect, test } from 'vitest';
import { readEngineConfig } from './engine-config.ts';
import { parseQuantity } from './quantity.ts';

test('replicas, threads and memory are read from what the SDK builds', () => {
  const resources = { limits: { cpu: 0.25, memory: '512Mi' }, requests: { cpu: 0.25, memory: '512Mi' } };
  expect(readEngineConfig({ engine: { cpu: 2.5, replicas: 3, resources } })).toEqual({
    replicas: 3,
    threads: 2,
    memoryBytes: 512 * 1024 * 1024,
  });
  expect(readEngineConfig({ engine: { autoscale: { replica_min: 2, replica_max: 5, type: 'cpu' } } }).replicas).toBe(2);
});

test('what is missing or makes no sense falls back to one replica of one thread without a limit', () => {
  const fallback = { replicas: 1, threads: 1, memoryBytes: null };
  const strange = { engine: { cpu: -1, replicas: 'many', resources: { limits: { memory: '1 elephant' } } } };
  for (const config of [undefined, null, {}, [], 'x', { engine: null }, { engine: [] }, strange]) {
    expect(readEngineConfig(config)).toEqual(fallback);
  }
  expect(readEngineConfig({ engine: { replicas: 1e9 } }).replicas).toBe(64);
});

test.each([
  ['500m', 0.5],
  ['1.5Gi', 1.5 * 2 ** 30],
  ['128974848', 128974848],
  ['2k', 2000],
  ['1Zi', null],
  ['-1', null],
  [Number.NaN, null],
])('the quantity %s is %s', (quantity, value) => expect(parseQuantity(quantity)).toBe(value));
