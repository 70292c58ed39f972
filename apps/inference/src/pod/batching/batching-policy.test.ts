import type { DynamicBatching } from '@pademelon/contracts';
import { expect, test } from 'vitest';
import { batchingPolicy } from './batching-policy.ts';

const model = (dynamicBatching: DynamicBatching | null, fixedBatch: number | null = null) => ({
  dynamicBatching,
  session: { signature: { fixedBatch } },
});
const settings: DynamicBatching = { maxBatchDelayMs: 10, batchSizeTarget: 4, batchSizeLimit: 16 };
const rowWise = { isRowWise: true };

test('a pipeline batches as its one model is configured', () => {
  expect(batchingPolicy(rowWise, [model(settings)])).toEqual({ maxDelayMs: 10, targetRows: 4, limitRows: 16 });
});

test('without a limit there is none, and a target beyond the limit is the limit', () => {
  const open = batchingPolicy(rowWise, [model({ ...settings, batchSizeLimit: null })]);
  expect(open).toEqual({ maxDelayMs: 10, targetRows: 4, limitRows: Number.POSITIVE_INFINITY });
  expect(batchingPolicy(rowWise, [model({ ...settings, batchSizeLimit: 2 })])?.targetRows).toBe(2);
});

test('of several models the least of each setting counts', () => {
  const other = { maxBatchDelayMs: 3, batchSizeTarget: 8, batchSizeLimit: null };
  expect(batchingPolicy(rowWise, [model(settings), model(other)])).toEqual({
    maxDelayMs: 3,
    targetRows: 4,
    limitRows: 16,
  });
});

test.each([
  ['no model is', rowWise, [model(null)]],
  ['one model is not', rowWise, [model(settings), model(null)]],
  ['a model has a batch size of its own', rowWise, [model(settings, 1)]],
  ['rows depend on one another', { isRowWise: false }, [model(settings)]],
  ['there are no models', rowWise, []],
])('nothing is joined where %s', (_why, pipeline, models) => {
  expect(batchingPolicy(pipeline, models)).toBeNull();
});
