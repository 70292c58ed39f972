import type { Column } from '@pademelon/contracts';
import type { InputBatch, InputHint, InputHints } from '../input-batch.ts';
import { fits } from '../row-shape.ts';
import { float32Overflow } from '../typed-values.ts';

/*
 * Reads `[{"<column>": [1, 2.5, …], …}, …]` from bytes straight into float arrays: every column known to the model as
 * float32 or float64, plain names, the same columns in the same order in every row, each cell a flat list or a number.
 * On anything else, valid or not, it gives up without a judgement, and the fallback decides (json-records.ts). What it
 * does accept it reads exactly as the fallback would.
 */

const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;
const quote = 34;
const colon = 58;
const comma = 44;
const maxColumns = 64;

const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** A column that the scanner can fill. Its memory is used again for the next request. */
class ScanColumn {
  readonly name: string;
  /** The name with its quotes, as it stands in the body. */
  readonly key: Buffer;
  readonly isFloat32: boolean;
  readonly #rowShape: InputHint['rowShape'];
  values: Float32Array | Float64Array;
  length = 0;
  /** Values of each row, from the first row; -1 for plain numbers. */
  width = 0;

  constructor(name: string, hint: InputHint) {
    this.name = name;
    this.key = Buffer.from(JSON.stringify(name));
    this.isFloat32 = hint.type === 'float32';
    this.#rowShape = hint.rowShape;
    this.values = this.#allocate(1024);
  }

  /** Makes room for one more value than there is. */
  grow(): void {
    const grown = this.#allocate(this.values.length * 2);
    grown.set(this.values as Float32Array & Float64Array);
    this.values = grown;
  }

  get isFitting(): boolean {
    return fits(this.#cellShape, this.#rowShape);
  }

  column(): Column {
    const { name, length } = this;
    return {
      name,
      type: this.isFloat32 ? 'float32' : 'float64',
      rowShape: this.#cellShape,
      values: this.values.subarray(0, length),
    };
  }

  get #cellShape(): readonly number[] {
    return this.width < 0 ? [] : [this.width];
  }

  #allocate(length: number): Float32Array | Float64Array {
    return this.isFloat32 ? new Float32Array(length) : new Float64Array(length);
  }
}

export class RecordScanner {
  readonly #known: readonly ScanColumn[];
  #row: ScanColumn[] = [];
  #bounds = new Int32Array(256);
  #boundCount = 0;
  #body: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Columns of other types stay with the fallback, as do names that JSON writes with escapes. */
  constructor(hints: InputHints) {
    const known: ScanColumn[] = [];
    for (const [name, hint] of hints) {
      const isFloat = hint.type === 'float32' || hint.type === 'float64';
      if (isFloat && /^[\x20-\x7e]+$/.test(name) && !/["\\]/.test(name)) known.push(new ScanColumn(name, hint));
    }
    this.#known = known;
  }

  /** The batch, valid until the next call, or null when the fallback must look. */
  scan(body: Buffer, maxRows: number): InputBatch | null {
    this.#body = body;
    this.#at = 0;
    this.#boundCount = 0;
    this.#row = [];
    for (const column of this.#known) column.length = 0;
    const rowCount = this.#scanRows(maxRows);
    if (rowCount <= 0) return null;
    const bounds = this.#bounds.subarray(0, this.#boundCount);
    return { rowCount, columns: this.#row.map((column) => column.column()), text: { body, bounds } };
  }

  #scanRows(maxRows: number): number {
    if (this.#next() !== openBracket) return -1;
    let rowCount = 0;
    for (;;) {
      if (rowCount === maxRows) return -1;
      this.#at += 1;
      if (!(rowCount === 0 ? this.#scanFirstRow() : this.#scanRow())) return -1;
      rowCount += 1;
      const separator = this.#next();
      if (separator === closeBracket) break;
      if (separator !== comma) return -1;
    }
    this.#at += 1;
    this.#next();
    return this.#at === this.#body.length ? rowCount : -1;
  }

  #scanFirstRow(): boolean {
    if (this.#next() !== openBrace) return false;
    for (;;) {
      this.#at += 1;
      this.#next();
      const column = this.#known.find((candidate) => this.#isAt(candidate.key));
      if (column === undefined || this.#row.includes(column) || this.#row.length === maxColumns) return false;
      this.#row.push(column);
      this.#at += column.key.length;
      if (!this.#scanCell(column, true) || !column.isFitting) return false;
      const separator = this.#next();
      if (separator === closeBrace) break;
      if (separator !== comma) return false;
    }
    this.#at += 1;
    return true;
  }

  #scanRow(): boolean {
    if (this.#next() !== openBrace) return false;
    const last = this.#row.length - 1;
    for (let index = 0; index <= last; index += 1) {
      const column = this.#row[index]!;
      this.#at += 1;
      this.#next();
      if (!this.#isAt(column.key)) return false;
      this.#at += column.key.length;
      if (!this.#scanCell(column, false)) return false;
      if (this.#next() !== (index === last ? closeBrace : comma)) return false;
    }
    this.#at += 1;
    return true;
  }

  #scanCell(column: ScanColumn, isFirst: boolean): boolean {
    if (this.#next() !== colon) return false;
    this.#at += 1;
    const opening = this.#next();
    const start = this.#at;
    const before = column.length;
    const isList = opening === openBracket;
    if (isList) this.#at += 1;
    if (!this.#scanNumbers(column, isList)) return false;
    const width = isList ? column.length - before : -1;
    if (isFirst) column.width = width;
    else if (column.width !== width) return false;
    this.#bound(start, this.#at);
    return true;
  }

  /**
   * Reads one number, or all numbers of a list up to its bracket: one loop over local variables, since nearly all bytes
   * of a request pass here. Up to 2^53 the digits are an exact whole number and powers of ten up to 10^22 are exact too,
   * so one division rounds just once and gives what Number() gives. Longer numbers and exponents go through Number().
   */
  #scanNumbers(column: ScanColumn, isList: boolean): boolean {
    const body = this.#body;
    const limit = column.isFloat32 ? float32Overflow : Number.POSITIVE_INFINITY;
    let { values, length } = column;
    let at = this.#at;
    let code = body[at]!;
    for (;;) {
      while (code <= 32 && isSpace(code)) code = body[++at]!;
      const start = at;
      const isNegative = code === 45;
      if (isNegative) code = body[++at]!;
      if (!(code >= 48 && code <= 57)) return false;
      const isLeadingZero = code === 48;
      let digits = code - 48;
      code = body[++at]!;
      if (isLeadingZero && code >= 48 && code <= 57) return false;
      while (code >= 48 && code <= 57) {
        digits = digits * 10 + (code - 48);
        code = body[++at]!;
      }
      let decimals = 0;
      if (code === 46) {
        const dot = at;
        code = body[++at]!;
        while (code >= 48 && code <= 57) {
          digits = digits * 10 + (code - 48);
          code = body[++at]!;
        }
        decimals = at - dot - 1;
        if (decimals === 0) return false;
      }
      let value = decimals === 0 ? digits : digits / powersOfTen[decimals]!;
      if (isNegative) value = -value;
      if (digits > Number.MAX_SAFE_INTEGER || decimals > 22 || code === 101 || code === 69) {
        at = endOfExponent(body, at);
        if (at < 0) return false;
        code = body[at]!;
        value = Number(body.toString('latin1', start, at));
        if (!(value < limit && value > -limit)) return false;
      }
      if (length === values.length) {
        column.grow();
        values = column.values;
      }
      values[length++] = value;
      if (!isList) break;
      while (code <= 32 && isSpace(code)) code = body[++at]!;
      if (code !== comma && code !== closeBracket) return false;
      const isLast = code === closeBracket;
      code = body[++at]!;
      if (isLast) break;
    }
    column.length = length;
    this.#at = at;
    return true;
  }

  /** Skips white space and returns the byte that follows, or -1 at the end. */
  #next(): number {
    const body = this.#body;
    let at = this.#at;
    let code = body[at]!;
    while (code <= 32 && isSpace(code)) code = body[++at]!;
    this.#at = at;
    return at < body.length ? code : -1;
  }

  #isAt(key: Buffer): boolean {
    const body = this.#body;
    const at = this.#at;
    if (body[at] !== quote) return false;
    for (let index = 1; index < key.length; index += 1) if (body[at + index] !== key[index]) return false;
    return true;
  }

  #bound(start: number, end: number): void {
    if (this.#boundCount + 2 > this.#bounds.length) {
      const grown = new Int32Array(this.#bounds.length * 2);
      grown.set(this.#bounds);
      this.#bounds = grown;
    }
    this.#bounds[this.#boundCount++] = start;
    this.#bounds[this.#boundCount++] = end;
  }
}

/** The position after an exponent that begins at `at`, `at` when there is none, or -1 when it has no digits. */
function endOfExponent(body: Buffer, from: number): number {
  let at = from;
  let code = body[at]!;
  if (code !== 101 && code !== 69) return at;
  code = body[++at]!;
  if (code === 43 || code === 45) code = body[++at]!;
  if (!(code >= 48 && code <= 57)) return -1;
  while (code >= 48 && code <= 57) code = body[++at]!;
  return at;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}
