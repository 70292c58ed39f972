import { DomainError } from '@pademelon/domain/domain-error';
import { endOfString } from './json-body.ts';

const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype', '']);
const maxNameLength = 255;
const maxColumns = 1000;

/**
 * Finds where the cells of JSON records lie in their bytes, so that answers can repeat them letter by letter. Works on
 * bodies that JSON.parse has accepted, and sees what JSON.parse hides: a name that a row has twice.
 */
export class CellLocator {
  readonly #body: Buffer;
  #at = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** Column names in the order of row 0, and the bounds of every cell in that order (see CellText). */
  locateRecords(): { names: string[]; bounds: Int32Array; rowCount: number } {
    this.#skipSpace();
    this.#at += 1;
    const names: string[] = [];
    const columns = new Map<string, number>();
    const bounds: number[] = [];
    let rowCount = 0;
    do {
      this.#locateRow(rowCount, { names, columns, bounds });
      rowCount += 1;
      this.#skipSpace();
    } while (this.#body[this.#at++] === 44);
    return { names, bounds: Int32Array.from(bounds), rowCount };
  }

  /** The names of the one object that the body is, each checked and present once. */
  locateObject(): string[] {
    const names: string[] = [];
    this.#locateRow(0, { names, columns: new Map(), bounds: [] });
    return names;
  }

  #locateRow(row: number, found: { names: string[]; columns: Map<string, number>; bounds: number[] }): void {
    const { names, columns, bounds } = found;
    const base = bounds.length;
    if (row > 0) for (let index = 0; index < names.length * 2; index += 1) bounds.push(-1);
    let seen = 0;
    this.#skipSpace();
    this.#at += 1;
    this.#skipSpace();
    if (this.#body[this.#at] === 125) this.#at += 1;
    else {
      do {
        const name = this.#name();
        let column = columns.get(name);
        if (column === undefined) {
          if (row > 0) throw invalid(row, `has a column ${JSON.stringify(name)} that row 0 has not`);
          checkName(name, names.length);
          column = names.push(name) - 1;
          columns.set(name, column);
          bounds.push(-1, -1);
        }
        const at = base + 2 * column;
        if (bounds[at] !== -1) throw invalid(row, `has the column ${JSON.stringify(name)} twice`);
        this.#skipSpace();
        bounds[at] = this.#at;
        this.#skipValue();
        bounds[at + 1] = this.#at;
        seen += 1;
        this.#skipSpace();
      } while (this.#body[this.#at++] === 44);
    }
    if (seen === names.length) return;
    const missing = names.find((_, column) => bounds[base + 2 * column] === -1);
    throw invalid(row, `lacks the column ${JSON.stringify(missing)} that row 0 has`);
  }

  /** Reads a name and the colon after it. */
  #name(): string {
    this.#skipSpace();
    const start = this.#at;
    this.#at = endOfString(this.#body, start);
    const name = JSON.parse(this.#body.toString('utf8', start, this.#at)) as string;
    this.#skipSpace();
    this.#at += 1;
    return name;
  }

  #skipValue(): void {
    const body = this.#body;
    let depth = 0;
    do {
      const code = body[this.#at]!;
      if (code === 34) {
        this.#at = endOfString(body, this.#at);
        continue;
      }
      if (code === 91 || code === 123) depth += 1;
      else if (code === 93 || code === 125) depth -= 1;
      else if (depth === 0) {
        this.#skipWord();
        return;
      }
      this.#at += 1;
    } while (depth > 0);
  }

  /** A number, `true`, `false` or `null`. */
  #skipWord(): void {
    let code = this.#body[this.#at];
    while (code !== undefined && code > 32 && code !== 44 && code !== 93 && code !== 125) code = this.#body[++this.#at];
  }

  #skipSpace(): void {
    while (this.#body[this.#at]! <= 32) this.#at += 1;
  }
}

/** For formats whose names come all at once. */
export function checkColumnNames(names: readonly string[]): void {
  names.forEach((name, index) => {
    checkName(name, index);
    if (names.indexOf(name) !== index) {
      throw new DomainError('invalid_input', `The column ${JSON.stringify(name)} is there twice.`);
    }
  });
}

function checkName(name: string, count: number): void {
  if (forbiddenNames.has(name)) {
    throw new DomainError('invalid_input', `A column may not be named ${JSON.stringify(name)}.`);
  }
  if (name.length > maxNameLength) {
    throw new DomainError('invalid_input', `A column name may have at most ${maxNameLength} characters.`);
  }
  if (count === maxColumns) throw new DomainError('invalid_input', `Rows may have at most ${maxColumns} columns.`);
}

function invalid(row: number, claim: string): DomainError {
  return new DomainError('invalid_input', `Row ${row} ${claim}; all rows must have the same columns, each once.`);
}
