import type { Column } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';

/**
 * Refuses NaN and infinities with the place of the first one: a model takes none. A sum of finite float32 values is
 * finite; only when it is not need every value be looked at.
 */
export function requireFinite({ name, type, values }: Column, rowCount: number): void {
  if (type !== 'float32' && type !== 'float64') return;
  const numbers = values as Float32Array | Float64Array;
  if (Number.isFinite(sumOf(numbers))) return;
  const at = numbers.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  const width = numbers.length / rowCount;
  const row = Math.floor(at / width);
  throw new DomainError(
    'invalid_input',
    `Row ${row}, column ${JSON.stringify(name)}, value ${at - row * width}: ${numbers[at]} is not a finite number.`,
  );
}

/** By itself, so that a loop that gets hot while it runs has nothing behind it that V8 has never seen. */
function sumOf(numbers: Float32Array | Float64Array): number {
  let sum = 0;
  for (let at = 0; at < numbers.length; at += 1) sum += numbers[at]!;
  return sum;
}
