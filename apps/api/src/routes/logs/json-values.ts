import { isStrings, type LogColumn } from '@pademelon/domain';

/** One value for each row, as JSON has it: nested arrays for lists, shortest numbers for float32. */
export function jsonValues(column: LogColumn, rowCount: number): unknown[] {
  const leaves = leafValues(column);
  const { offsets, rowShape } = column;
  if (offsets !== undefined) {
    return Array.from({ length: rowCount }, (_, row) => leaves.slice(offsets[row], offsets[row + 1]));
  }
  return rowShape.toReversed().reduce((values: unknown[], size) => chunk(values, size, rowCount), leaves);
}

function chunk(values: readonly unknown[], size: number, rowCount: number): unknown[] {
  if (size === 0) return Array.from({ length: rowCount }, () => []);
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
}

function leafValues({ type, values }: LogColumn): unknown[] {
  if (isStrings(values)) {
    const { byteOffsets, bytes } = values;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: byteOffsets.length - 1 }, (_, i) =>
      buffer.toString('utf8', byteOffsets[i], byteOffsets[i + 1]),
    );
  }
  if (type === 'bool') return Array.from(values as Uint8Array, (value) => value !== 0);
  if (type === 'float32') return Array.from(values as Float32Array, shortestFloat32);
  if (type === 'int64' || type === 'uint64') return Array.from(values as BigInt64Array, exactInteger);
  return Array.from(values as Float64Array);
}

/** The number with the fewest digits that reads back as the same float32. */
function shortestFloat32(value: number): number {
  if (!Number.isFinite(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const shorter = Number(value.toPrecision(digits));
    if (Math.fround(shorter) === value) return shorter;
  }
  return Number(value.toPrecision(9));
}

/** An integer of any size with all its digits. */
function exactInteger(value: bigint): unknown {
  return Number.isSafeInteger(Number(value)) ? Number(value) : rawJson(value.toString());
}

/** In Node since 21; TypeScript's library does not have it yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
