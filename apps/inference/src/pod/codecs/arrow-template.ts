import type { ColumnValues } from '@pademelon/contracts';
import type { AnswerData, AnswerField } from '../answer-fields.ts';
import { arrowChildren, encodeArrow } from './arrow-write.ts';
import type { ByteWriter } from './byte-writer.ts';

// See arrow-write.ts.
const { tableFromIPC } = await import('apache-arrow');

/** Where in the file the values of a field lie. */
interface Slot {
  readonly field: AnswerField;
  readonly offset: number;
}

const sourceKindsOfNumbers = new Set(['time', 'input', 'output', 'side']);

/**
 * An Arrow file whose numbers are replaced for each answer of the same shape: for one number of rows everything else in
 * the file stays the same, so it is encoded once and then copied.
 */
export class ArrowTemplate {
  readonly #file: Buffer;
  readonly #slots: readonly Slot[];

  private constructor(file: Buffer, slots: readonly Slot[]) {
    this.#file = file;
    this.#slots = slots;
  }

  get sizeBytes(): number {
    return this.#file.length;
  }

  /** What two answers must have in common to share a template; null when this one cannot have any. */
  static key(fields: readonly AnswerField[], data: AnswerData): string | null {
    if (data.checks.length > 0 || fields.some(({ source }) => source.kind === 'metadata')) return null;
    const columns = [...data.batch.columns, ...data.outputs, ...data.sides.flatMap(({ outputs }) => outputs)];
    if (columns.some(({ type, offsets }) => type === 'utf8' || type === 'bool' || offsets !== undefined)) return null;
    const sides = data.sides.map(({ name, outputs }) => `${name}\n${outputs.length}\n`).join('');
    return `${sides}${columns.map(({ name, type, rowShape }) => `${name}\n${type}\n${rowShape}`).join('\n')}\n${data.batch.rowCount}`;
  }

  /** Encodes this answer and remembers where its values went; only for flat names. */
  static make(fields: readonly AnswerField[], data: AnswerData, separator: string): ArrowTemplate {
    const bytes = encodeArrow(fields, arrowChildren(fields, data), { rowCount: data.batch.rowCount, separator });
    // Read back without copying, the vectors tell where in the file their values lie.
    const table = tableFromIPC(bytes);
    const slots = fields.flatMap((field, index): Slot[] => {
      if (!sourceKindsOfNumbers.has(field.source.kind)) return [];
      let leaf = table.getChildAt(index)!.data[0]!;
      while (leaf.children.length > 0) leaf = leaf.children[0]!;
      return [{ field, offset: (leaf.values as Uint8Array).byteOffset - bytes.byteOffset }];
    });
    return new ArrowTemplate(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), slots);
  }

  write(writer: ByteWriter, data: AnswerData): void {
    const start = writer.length;
    writer.copy(this.#file);
    for (const { field, offset } of this.#slots) {
      const values = valuesOf(field, data);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      writer.bytes.set(bytes, start + offset);
    }
  }
}

function valuesOf({ source }: AnswerField, data: AnswerData): Exclude<ColumnValues, readonly string[]> {
  if (source.kind === 'time') return new BigInt64Array(data.batch.rowCount).fill(BigInt(data.timeMs));
  if (source.kind === 'side') return data.sides[source.side]!.outputs[source.index]!.values as Float32Array;
  const columns = source.kind === 'input' ? data.batch.columns : data.outputs;
  return columns[(source as { index: number }).index]!.values as Float32Array;
}
