import { expect, test } from 'vitest';
import { SpareMemory } from './spare-memory.ts';

test('pieces are put together, in memory that is used again once it was given back', () => {
  const spare = new SpareMemory();
  const first = spare.fill([Uint8Array.of(1, 2), Uint8Array.of(), Uint8Array.of(3)]);
  expect([...first]).toEqual([1, 2, 3]);
  const meanwhile = spare.fill([Uint8Array.of(4)]);
  expect([...first]).toEqual([1, 2, 3]);
  spare.giveBack(first);
  spare.giveBack(meanwhile);
  const again = spare.fill([Uint8Array.of(5, 6)]);
  expect(again.buffer).toBe(first.buffer);
  expect([...again]).toEqual([5, 6]);
});

test('memory of an unusually large batch is let go', () => {
  const spare = new SpareMemory();
  const huge = spare.fill([new Uint8Array(17 * 1024 * 1024)]);
  spare.giveBack(huge);
  expect(spare.fill([Uint8Array.of(1)]).buffer).not.toBe(huge.buffer);
});
