import { type AnswerData, type AnswerField, failedChecks, failureCount, type MetadataName } from '../answer-fields.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeJsonCell } from './json-cell.ts';

const openBracket = 91;
const closeBracket = 93;
const comma = Buffer.from(',');
const none = Buffer.alloc(0);
/** From here on it pays to look for what all rows have in common. */
const manyRows = 8;
/** For the time of one call; all run to their end without a pause. */
const scratch = new ByteWriter();

interface TemplatePart {
  /** What stands before the field's value: punctuation and names. */
  readonly literal: Buffer;
  readonly field: AnswerField;
}

/** Writes pandas records with the same fields again and again: everything but the values is made once. */
export class JsonTemplate {
  readonly #parts: readonly TemplatePart[];
  readonly #end: Buffer;

  /** `separator`: flat names `in.tensor`; null: nested objects. */
  constructor(fields: readonly AnswerField[], separator: string | null) {
    const { literals, end } = separator === null ? nestedLiterals(fields) : flatLiterals(fields, separator);
    this.#parts = fields.map((field, index) => ({ literal: Buffer.from(literals[index]!), field }));
    this.#end = Buffer.from(end);
  }

  write(writer: ByteWriter, data: AnswerData): void {
    const { rowCount } = data.batch;
    writer.byte(openBracket);
    if (rowCount < manyRows) this.#writeFew(writer, data);
    else this.#writeMany(writer, data);
    writer.byte(closeBracket);
  }

  #writeFew(writer: ByteWriter, data: AnswerData): void {
    for (let row = 0; row < data.batch.rowCount; row += 1) {
      if (row > 0) writer.copy(comma);
      for (const { literal, field } of this.#parts) {
        writer.copy(literal);
        writeField(writer, field, { data, row });
      }
      writer.copy(this.#end);
    }
  }

  /** Much of a row is the same in all of them, so it is written once for each answer and then repeated. */
  #writeMany(writer: ByteWriter, data: AnswerData): void {
    const { head, varying, tail } = this.#split(data);
    writer.copy(head);
    writeRows(writer, data, { varying, seam: Buffer.concat([tail, comma, head]) });
    writer.copy(tail);
  }

  /** A row's text up to its first field that differs between rows, those fields, and the text after the last of them. */
  #split(data: AnswerData): { head: Buffer; varying: readonly TemplatePart[]; tail: Buffer } {
    const text = scratch;
    text.begin();
    const takeText = (): Buffer => {
      const taken = Buffer.from(text.bytes.subarray(0, text.length));
      text.begin();
      return taken;
    };
    const varying: TemplatePart[] = [];
    for (const { literal, field } of this.#parts) {
      text.copy(literal);
      if (isSameInAllRows(field, data)) writeField(text, field, { data, row: 0 });
      else varying.push({ literal: takeText(), field });
    }
    text.copy(this.#end);
    const tail = takeText();
    return { head: varying[0]?.literal ?? none, varying, tail };
  }
}

interface RowParts {
  readonly varying: readonly TemplatePart[];
  /** What stands between the varying parts of two rows. */
  readonly seam: Buffer;
}

/** By itself, so that a loop that gets hot while it runs has nothing behind it that V8 has never seen. */
function writeRows(writer: ByteWriter, data: AnswerData, { varying, seam }: RowParts): void {
  for (let row = 0; row < data.batch.rowCount; row += 1) {
    if (row > 0) writer.copy(seam);
    for (let index = 0; index < varying.length; index += 1) {
      const { literal, field } = varying[index]!;
      if (index > 0) writer.copy(literal);
      writeField(writer, field, { data, row });
    }
  }
}

function isSameInAllRows({ source }: AnswerField, { checks }: AnswerData): boolean {
  switch (source.kind) {
    case 'time':
    case 'metadata':
      return true;
    case 'failed-checks':
    case 'failure-count':
      return checks.length === 0;
    default:
      return false;
  }
}

function writeField(
  writer: ByteWriter,
  { source }: AnswerField,
  { data, row }: { data: AnswerData; row: number },
): void {
  switch (source.kind) {
    case 'time':
      writer.digits(data.timeMs);
      break;
    case 'input':
      writeInput(writer, source.index, { data, row });
      break;
    case 'output':
      writeJsonCell(writer, data.outputs[source.index]!, row);
      break;
    case 'side':
      writeJsonCell(writer, data.sides[source.side]!.outputs[source.index]!, row);
      break;
    case 'failed-checks':
      writer.text(JSON.stringify(failedChecks(data.checks, row)));
      break;
    case 'failure-count':
      writer.digits(failureCount(data.checks, row));
      break;
    case 'failure':
      writer.ascii(data.checks[source.index]!.failures[row] === 1 ? 'true' : 'false');
      break;
    case 'metadata':
      writeMetadata(writer, source.name, data);
      break;
  }
}

/** Inputs that came as JSON are repeated as they were written. */
function writeInput(writer: ByteWriter, index: number, { data, row }: { data: AnswerData; row: number }): void {
  const { text, columns } = data.batch;
  if (text === undefined) {
    writeJsonCell(writer, columns[index]!, row);
  } else {
    const at = 2 * (row * columns.length + index);
    writer.copy(text.body, text.bounds[at], text.bounds[at + 1]);
  }
}

function writeMetadata(writer: ByteWriter, name: MetadataName, { metadata }: AnswerData): void {
  writer.text(JSON.stringify(metadata[name]));
}

interface Literals {
  readonly literals: readonly string[];
  /** What closes a row. */
  readonly end: string;
}

function flatLiterals(fields: readonly AnswerField[], separator: string): Literals {
  const literals = fields.map(({ group, name }, index) => {
    const key = group === null ? name : `${group}${separator}${name}`;
    return `${index === 0 ? '{' : ','}${JSON.stringify(key)}:`;
  });
  return { literals, end: fields.length === 0 ? '{}' : '}' };
}

/** Fields of one group stand together, so a group opens where it changes and closes before the next. */
function nestedLiterals(fields: readonly AnswerField[]): Literals {
  let open: string | null = null;
  const literals = fields.map(({ group, name }, index) => {
    const isSame = group !== null && group === open;
    const close = open !== null && !isSame ? '}' : '';
    const start = index === 0 ? '{' : ',';
    const opening = group !== null && !isSame ? `${JSON.stringify(group)}:{` : '';
    open = group;
    return `${close}${start}${opening}${JSON.stringify(name)}:`;
  });
  if (fields.length === 0) return { literals, end: '{}' };
  return { literals, end: open === null ? '}' : '}}' };
}
