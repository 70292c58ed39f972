import { DomainError } from '@pademelon/domain/domain-error';
import type { InputBatch, InputHints } from '../input-batch.ts';
import { CellLocator } from './cell-locator.ts';
import { parseJsonBody } from './json-body.ts';
import { readJsonColumn } from './json-column.ts';

export interface JsonReadOptions {
  readonly hints: InputHints;
  readonly maxRows: number;
}

/** Reads pandas records, `[{"<column>": <cell>, …}, …]`, whatever their columns hold. */
export function readJsonRecords(body: Buffer, options: JsonReadOptions): InputBatch {
  return readRecords(body, parseJsonBody(body), options);
}

/**
 * Reads the classic form: one object with a list of rows for each input, `{"tensor": [[…], …]}`. A list is read as
 * records.
 */
export function readClassic(body: Buffer, options: JsonReadOptions): InputBatch {
  const value = parseJsonBody(body);
  if (Array.isArray(value)) return readRecords(body, value, options);
  if (!isObject(value)) {
    throw new DomainError('invalid_input', 'The body must be an object with a list of rows for each input.');
  }
  const names = new CellLocator(body).locateObject();
  const first = names[0];
  if (first === undefined) throw new DomainError('invalid_input', 'The body is an empty object; it has no inputs.');
  const rowCount = Array.isArray(value[first]) ? value[first].length : 0;
  checkRowCount(rowCount, options.maxRows);
  const columns = names.map((name) => {
    const rows = value[name];
    if (!Array.isArray(rows) || rows.length !== rowCount) {
      throw new DomainError(
        'invalid_input',
        `Column ${JSON.stringify(name)} must be a list of ${rowCount} rows, as many as column ${JSON.stringify(first)} has.`,
      );
    }
    return readJsonColumn(name, rows, options.hints.get(name));
  });
  return { rowCount, columns };
}

function readRecords(body: Buffer, value: unknown, { hints, maxRows }: JsonReadOptions): InputBatch {
  if (!Array.isArray(value)) {
    throw new DomainError('invalid_input', 'The body must be a list of rows, [{"<column>": …}, …].');
  }
  checkRowCount(value.length, maxRows);
  const stray = value.findIndex((row) => !isObject(row));
  if (stray >= 0) throw new DomainError('invalid_input', `Row ${stray} is not an object with a value for each column.`);
  const { names, bounds } = new CellLocator(body).locateRecords();
  if (names.length === 0) throw new DomainError('invalid_input', 'Row 0 has no columns.');
  const rows = value as Record<string, unknown>[];
  const columns = names.map((name) =>
    readJsonColumn(
      name,
      rows.map((row) => row[name]),
      hints.get(name),
    ),
  );
  return { rowCount: rows.length, columns, text: { body, bounds } };
}

export function checkRowCount(rowCount: number, maxRows: number): void {
  if (rowCount === 0) throw new DomainError('invalid_input', 'The request has no rows.');
  if (rowCount > maxRows) {
    throw new DomainError('too_large', `The request has ${rowCount} rows; at most ${maxRows} are taken at once.`);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
