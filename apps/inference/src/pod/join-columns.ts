import type { Column } from '@pademelon/contracts';

/** The rows of columns of one type and row shape, one after the other, under the name of the first. */
export function joinColumns(parts: readonly Column[]): Column {
  const { name, type, rowShape, values } = parts[0]!;
  if (!ArrayBuffer.isView(values)) {
    return { name, type, rowShape, values: parts.flatMap((part) => part.values as readonly string[]) };
  }
  const length = parts.reduce((sum, part) => sum + part.values.length, 0);
  const joined = new (values.constructor as new (length: number) => Float32Array)(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part.values as Float32Array, at);
    at += part.values.length;
  }
  return { name, type, rowShape, values: joined };
}
