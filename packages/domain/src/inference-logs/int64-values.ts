/** Milliseconds or nanoseconds, whole numbers below 2^53, as 64-bit integers without a BigInt each. */
export function toInt64(values: Float64Array): BigInt64Array {
  return writeInt64(values, new Int32Array(values.length * 2));
}

/** As `toInt64`, in the memory of the values, which are no longer there afterwards. */
export function turnIntoInt64(values: Float64Array): BigInt64Array {
  return writeInt64(values, new Int32Array(values.buffer, values.byteOffset, values.length * 2));
}

function writeInt64(values: Float64Array, halves: Int32Array): BigInt64Array {
  // Taken once here and below: V8 calls a function for each time.
  const { length } = values;
  for (let i = 0; i < length; i++) {
    const value = values[i]!;
    // A bitwise operator takes the lower 32 bits of any whole number.
    halves[i * 2] = value | 0;
    halves[i * 2 + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return new BigInt64Array(halves.buffer, halves.byteOffset, length);
}

export function fromInt64(values: BigInt64Array): Float64Array {
  const { length } = values;
  const halves = new Uint32Array(values.buffer, values.byteOffset, length * 2);
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) numbers[i] = halves[i * 2]! + (halves[i * 2 + 1]! | 0) * 0x1_0000_0000;
  return numbers;
}
