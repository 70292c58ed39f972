import type { Column, ColumnType } from '@pademelon/contracts';
import { DomainError } from '@pademelon/domain/domain-error';
import type { InputHint } from '../input-batch.ts';
import { fits, misfit } from '../row-shape.ts';
import { rowWidth, shapeText } from '../tensor-spec.ts';
import { allocateValues } from '../typed-values.ts';
import { convertJsonValue } from './json-value.ts';

/** Makes a column of parsed JSON cells: of the model's type where one takes it, else of the type that they have. */
export function readJsonColumn(name: string, cells: readonly unknown[], hint: InputHint | undefined): Column {
  return hint === undefined ? readUntyped(name, cells) : readTyped(name, cells, hint);
}

function readTyped(name: string, cells: readonly unknown[], hint: InputHint): Column {
  const shape = shapeOf(cells[0]);
  if (!fits(shape, hint.rowShape)) throw misfitOrRagged(name, 0, cells[0], { shape, wanted: hint.rowShape });
  // Before any memory is set aside: a wide first row must not make room for a million short ones.
  cells.forEach((cell, row) => {
    if (!hasShape(cell, shape, 0)) throw misfitOrRagged(name, row, cell, { shape, wanted: hint.rowShape });
  });
  const width = rowWidth(shape)!;
  const values = allocateValues(hint.type, cells.length * width);
  cells.forEach((cell, row) => {
    let at = row * width;
    eachLeaf(cell, (leaf) => {
      values[at] = convertJsonValue(leaf, hint.type, { name, row, index: shape.length === 0 ? -1 : at - row * width });
      at += 1;
    });
  });
  return { name, type: hint.type, rowShape: shape, values };
}

/** Lists of differing lengths are allowed here; what no type covers is kept as JSON text. */
function readUntyped(name: string, cells: readonly unknown[]): Column {
  const shape = shapeOf(cells[0]);
  const isRegular = cells.every((cell) => hasShape(cell, shape, 0));
  const isListed =
    isRegular || cells.every((cell) => Array.isArray(cell) && cell.every((leaf) => !Array.isArray(leaf)));
  const leaves: unknown[] = [];
  const offsets = new Int32Array(cells.length + 1);
  cells.forEach((cell, row) => {
    eachLeaf(cell, (leaf) => leaves.push(leaf));
    offsets[row + 1] = leaves.length;
  });
  const type = isListed ? commonType(leaves) : null;
  if (type === null) return { name, type: 'utf8', rowShape: [], values: cells.map(jsonText) };
  const values = allocateValues(type, leaves.length);
  leaves.forEach((leaf, at) => {
    values[at] = convertJsonValue(leaf, type, { name, row: 0, index: at });
  });
  return isRegular ? { name, type, rowShape: shape, values } : { name, type, rowShape: [-1], values, offsets };
}

function commonType(leaves: readonly unknown[]): ColumnType | null {
  if (leaves.every((leaf) => typeof leaf === 'string')) return leaves.length === 0 ? 'float64' : 'utf8';
  if (leaves.every((leaf) => typeof leaf === 'boolean')) return 'bool';
  if (leaves.every(isInt64)) return 'int64';
  return leaves.every((leaf) => isFiniteNumber(leaf)) ? 'float64' : null;
}

function isInt64(leaf: unknown): boolean {
  return typeof leaf === 'bigint' ? BigInt.asIntN(64, leaf) === leaf : Number.isSafeInteger(leaf);
}

function isFiniteNumber(leaf: unknown): boolean {
  return typeof leaf === 'bigint' || (typeof leaf === 'number' && Number.isFinite(leaf));
}

function jsonText(cell: unknown): string {
  return JSON.stringify(cell, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}

function eachLeaf(cell: unknown, take: (leaf: unknown) => void): void {
  if (Array.isArray(cell)) for (const part of cell) eachLeaf(part, take);
  else take(cell);
}

/** The lengths of the nested lists along their first elements; `[]` for a plain value. */
function shapeOf(cell: unknown): number[] {
  const shape: number[] = [];
  for (let part = cell; Array.isArray(part); part = part[0]) shape.push(part.length);
  return shape;
}

function hasShape(cell: unknown, shape: readonly number[], axis: number): boolean {
  if (axis === shape.length) return !Array.isArray(cell);
  if (!Array.isArray(cell) || cell.length !== shape[axis]) return false;
  return axis + 1 === shape.length ? !cell.some(Array.isArray) : cell.every((part) => hasShape(part, shape, axis + 1));
}

function misfitOrRagged(
  name: string,
  row: number,
  cell: unknown,
  { shape, wanted }: { shape: readonly number[]; wanted: readonly (number | null)[] },
): DomainError {
  const own = shapeOf(cell);
  const where = `Row ${row}, column ${JSON.stringify(name)}`;
  if (!hasShape(cell, own, 0)) {
    return new DomainError('invalid_input', `${where}: lists at the same depth must have the same length.`);
  }
  if (!fits(own, wanted)) return misfit({ row, column: name }, own, wanted);
  return new DomainError(
    'invalid_input',
    `${where}: the cell has the shape ${shapeText(own)}, but row 0 has ${shapeText(shape)}; all rows must have the same.`,
  );
}
