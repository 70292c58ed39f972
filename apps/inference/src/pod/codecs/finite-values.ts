import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';

/** Refuses NaN and infinities with the place of the first one: a model takes none. */
export function requireFinite({ name, type, values }: Column, rowCount: number): void {
  if (type !== 'float32' && type !== 'float64') return;
  const numbers = values as Float32Array | Float64Array;
  const at = countFinite(numbers);
  if (at === numbers.length) return;
  const width = numbers.length / rowCount;
  const row = Math.floor(at / width);
  throw new DomainError(
    'invalid_input',
    `Row ${row}, column ${JSON.stringify(name)}, value ${at - row * width}: ${numbers[at]} is not a finite number.`,
  );
}

/**
 * How many values come before the first that is not finite. By itself, so that a loop that gets hot while it runs has
 * nothing behind it that V8 has never seen; the length is taken once, since V8 calls a function for each time.
 */
function countFinite(numbers: Float32Array | Float64Array): number {
  const { length } = numbers;
  let at = 0;
  while (at < length && Math.abs(numbers[at]!) <= Number.MAX_VALUE) at += 1;
  return at;
}
