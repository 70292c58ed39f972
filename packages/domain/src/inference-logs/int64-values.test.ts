import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromInt64, toInt64, turnIntoInt64 } from './int64-values.ts';

test('whole numbers become 64-bit integers and numbers again', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeInteger()), (numbers) => {
      const integers = toInt64(Float64Array.from(numbers));
      expect(Array.from(integers)).toEqual(numbers.map(BigInt));
      expect(Array.from(fromInt64(integers))).toEqual(numbers.map((n) => n + 0));
      const within = Float64Array.from([0, ...numbers]).subarray(1);
      const turned = turnIntoInt64(within);
      expect([turned, turned.buffer]).toEqual([integers, within.buffer]);
    }),
  );
});
