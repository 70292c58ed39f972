import type { ColumnType, ColumnValues } from '@pademelon/contracts';

/** Memory for `length` values of a type; strings are an ordinary array to be filled. */
export function allocateValues(type: ColumnType, length: number): Exclude<ColumnValues, readonly string[]> | string[] {
  switch (type) {
    case 'float32':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int8':
      return new Int8Array(length);
    case 'int16':
      return new Int16Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
    case 'uint16':
      return new Uint16Array(length);
    case 'uint32':
      return new Uint32Array(length);
    case 'uint64':
      return new BigUint64Array(length);
    case 'utf8':
      return new Array<string>(length).fill('');
  }
}

/** Least and greatest value of each whole-number type. */
export const integerRanges: Readonly<Partial<Record<ColumnType, readonly [bigint, bigint]>>> = {
  int8: [-(2n ** 7n), 2n ** 7n - 1n],
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint8: [0n, 2n ** 8n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** The least magnitude that rounds to infinity as a float32. */
export const float32Overflow = 2 ** 128 - 2 ** 103;

export function isBigType(type: ColumnType): boolean {
  return type === 'int64' || type === 'uint64';
}
