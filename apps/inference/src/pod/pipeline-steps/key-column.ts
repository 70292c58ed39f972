import type { Column } from '@pademelon/contracts';

/** The column of a request by whose values a step splits; null when the request has none that has one value a row. */
export function findKeyColumn(columns: readonly Column[], name: string, rowCount: number): Column | null {
  const column = columns.find((candidate) => candidate.name === name);
  return column !== undefined && column.offsets === undefined && column.values.length === rowCount ? column : null;
}

/** The value of a row as text: numbers in their shortest form, truth values as true and false. */
export function keyText({ type, values }: Column, row: number): string {
  return type === 'bool' ? String(values[row] === 1) : String(values[row]);
}
