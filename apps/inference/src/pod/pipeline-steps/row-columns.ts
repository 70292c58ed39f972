import type { Column } from '@pademelon/contracts';
import { allocateValues } from '../typed-values.ts';

/**
 * The rows at these places, in this order. A column whose rows differ in length is left whole: no model takes one, and
 * the refusal names its row.
 */
export function pickRows(column: Column, rows: Int32Array, rowCount: number): Column {
  const { name, type, rowShape, values, offsets } = column;
  if (offsets !== undefined) return column;
  const width = values.length / rowCount;
  const picked = allocateValues(type, rows.length * width);
  rows.forEach((row, at) => {
    for (let index = 0; index < width; index += 1) picked[at * width + index] = values[row * width + index]!;
  });
  return { name, type, rowShape, values: picked };
}

/** Puts the rows of columns of one type and shape to the places from which `pickRows` took them. */
export function mergeRows(parts: readonly { column: Column; rows: Int32Array }[], rowCount: number): Column {
  const { name, type, rowShape, values } = parts[0]!.column;
  const width = values.length / parts[0]!.rows.length;
  const merged = allocateValues(type, rowCount * width);
  for (const { column, rows } of parts) {
    rows.forEach((row, at) => {
      for (let index = 0; index < width; index += 1) merged[row * width + index] = column.values[at * width + index]!;
    });
  }
  return { name, type, rowShape, values: merged };
}

/** Whether the columns of two results can stand in one table: the same names, types and shapes in the same order. */
export function isSameLayout(left: readonly Column[], right: readonly Column[]): boolean {
  return left.length === right.length && left.every((column, index) => describe(column) === describe(right[index]!));
}

function describe({ name, type, rowShape }: Column): string {
  return `${type} ${rowShape.join()} ${name}`;
}
