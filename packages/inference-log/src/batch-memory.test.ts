import { expect, test } from 'vitest';
import { BatchMemory, SpareBatchMemory } from './batch-memory.ts';

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

test('pieces that lie as they have to are joined where they are', () => {
  const memory = new BatchMemory(32);
  const first = memory.take('float32', 3);
  const second = memory.take('uint8', 2);
  first.set([1, 2, 3]);
  second.set([4, 5]);
  const pieces = [
    Uint8Array.of(9, 9, 9),
    bytesOf(first),
    new Uint8Array(4),
    new Uint8Array(0),
    bytesOf(second),
    Uint8Array.of(7, 7, 7, 7, 7, 7, 8),
  ];
  const joined = memory.join(pieces);
  expect(new Uint8Array(joined)).toEqual(new Uint8Array(Buffer.concat(pieces)));
  expect(joined.buffer).toBe(first.buffer);
  expect(joined.byteOffset + 3).toBe(first.byteOffset);
});

test('pieces that do not are copied', () => {
  const memory = new BatchMemory(32);
  const first = memory.take('uint8', 8).fill(1);
  const second = memory.take('uint8', 8).fill(2);
  const cases = {
    inAnotherOrder: [second, first],
    withSomethingBetween: [first, Uint8Array.of(3), second],
    withAGap: [first.subarray(0, 4), second],
    afterTooMuch: [new Uint8Array(100_000), first],
    beforeTooMuch: [first, second, new Uint8Array(100_000)],
    elsewhere: [Uint8Array.of(1), Uint8Array.of(2)],
  };
  for (const [name, pieces] of Object.entries(cases)) {
    const joined = memory.join(pieces);
    expect(new Uint8Array(joined), name).toEqual(new Uint8Array(Buffer.concat(pieces)));
    expect(joined.buffer, name).not.toBe(first.buffer);
  }
  expect([...first, ...second]).toEqual([...Array(8).fill(1), ...Array(8).fill(2)]);
});

test('what finds no room has memory of its own', () => {
  const memory = new BatchMemory(16);
  const first = memory.take('float64', 2).fill(1);
  const second = memory.take('float64', 2).fill(2);
  expect(second.buffer).not.toBe(first.buffer);
  expect([...memory.join([bytesOf(first), bytesOf(second)])]).toEqual([...bytesOf(first), ...bytesOf(second)]);
});

test('memory is used again when it was given back and is large enough, unless it is huge', () => {
  const spare = new SpareBatchMemory();
  const large = spare.take(1_000);
  const small = spare.take(10);
  expect(small).not.toBe(large);
  large.take('uint8', 1_000);
  spare.giveBack(large);
  spare.giveBack(small);
  expect(spare.take(1_001)).not.toBe(large);
  const again = spare.take(1_000);
  expect(again).toBe(large);
  expect(again.take('uint8', 1_000).buffer).toBe(again.take('uint8', 0).buffer);
  const huge = spare.take(17 * 1024 * 1024);
  spare.giveBack(huge);
  expect(spare.take(1)).not.toBe(huge);
});
