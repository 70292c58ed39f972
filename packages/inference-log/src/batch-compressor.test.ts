import { randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { compressBatch } from './batch-compressor.ts';

const megabyte = 1024 * 1024;

function inflate(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(zstdDecompressSync(bytes));
}

test.each([
  ['nothing', 0],
  ['a byte', 1],
  ['as much as a batch has', 4 * megabyte],
  ['more than there is room for', 9 * megabyte],
])('%s comes back as it was', async (_, bytes) => {
  const batch = new Uint8Array(randomBytes(bytes));
  expect(inflate(await compressBatch(batch))).toEqual(batch);
});

test('batches are frames of their own, one after the other and at once, also when the room is used up', async () => {
  const batches = Array.from({ length: 8 }, (_, i) => new Uint8Array(3 * megabyte).map((_, at) => (at * 31 * i) >> 7));
  batches.push(...Array.from({ length: 8 }, () => new Uint8Array(randomBytes(3 * megabyte))));
  const inTurn: Uint8Array[] = [];
  for (const batch of batches) inTurn.push(await compressBatch(batch));
  const atOnce = await Promise.all(batches.map(compressBatch));
  for (const frames of [inTurn, atOnce]) {
    expect(frames.map((frame, i) => Buffer.compare(inflate(frame), batches[i]!))).toEqual(batches.map(() => 0));
  }
});

test('a frame keeps no more memory than its own', async () => {
  const frame = await compressBatch(new Uint8Array(megabyte));
  expect(frame.buffer.byteLength).toBe(frame.length);
});
