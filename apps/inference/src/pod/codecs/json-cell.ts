import type { Column, ColumnValues } from '@pademelon/contracts';
import type { ByteWriter } from './byte-writer.ts';

const openBracket = 91;
const closeBracket = 93;
const comma = 44;

/** Writes the cell of a row as JSON: a value, or nested lists of the column's row shape. */
export function writeJsonCell(writer: ByteWriter, column: Column, row: number): void {
  const { rowShape, offsets } = column;
  if (offsets !== undefined) {
    const start = offsets[row]!;
    writeList(writer, column, { shape: [offsets[row + 1]! - start], axis: 0, at: start });
  } else if (rowShape.length === 0) {
    writeValue(writer, column, row);
  } else {
    let width = 1;
    for (const dimension of rowShape) width *= dimension;
    writeList(writer, column, { shape: rowShape, axis: 0, at: row * width });
  }
}

/** Writes the list that begins at value `at` and returns where the next one begins. */
function writeList(
  writer: ByteWriter,
  column: Column,
  { shape, axis, at }: { shape: readonly number[]; axis: number; at: number },
): number {
  const length = shape[axis]!;
  let next = at;
  writer.byte(openBracket);
  for (let index = 0; index < length; index += 1) {
    if (index > 0) writer.byte(comma);
    if (axis + 1 < shape.length) next = writeList(writer, column, { shape, axis: axis + 1, at: next });
    else writeValue(writer, column, next++);
  }
  writer.byte(closeBracket);
  return next;
}

export function writeValue(
  writer: ByteWriter,
  { type, values }: { type: Column['type']; values: ColumnValues },
  at: number,
): void {
  const value = values[at]!;
  switch (type) {
    case 'float32':
      writer.float32(value as number);
      break;
    case 'float64':
      writer.float64(value as number);
      break;
    case 'bool':
      writer.ascii(value ? 'true' : 'false');
      break;
    case 'utf8':
      writer.text(JSON.stringify(value));
      break;
    case 'int64':
    case 'uint64':
      writer.ascii(String(value));
      break;
    default:
      writer.integer(value as number);
      break;
  }
}
