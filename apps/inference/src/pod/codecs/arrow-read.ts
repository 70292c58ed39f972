import { DomainError } from '@pademelon/domain/domain-error';
import type { InputBatch } from '../input-batch.ts';
import { DecompressionBudget } from './arrow-batch.ts';
import { joinParts, readBatchColumns } from './arrow-column.ts';
import { type ArrowFile, readArrowFile } from './arrow-file.ts';
import { checkColumnNames } from './cell-locator.ts';
import { requireFinite } from './finite-values.ts';
import { checkRowCount, type JsonReadOptions } from './json-rows.ts';

const magic = Buffer.from('ARROW1');
/** Magic at both ends, padding, footer length: nothing shorter is an Arrow file. */
const leastFileBytes = 18;

export interface ArrowReadOptions extends JsonReadOptions {
  /** Bytes that compressed data may hold, and characters that text may. */
  readonly maxDecompressedBytes: number;
}

/** Reads an Arrow IPC file, compressed or not. Columns that a model takes must hold finite numbers. */
export function readArrow(body: Buffer, options: ArrowReadOptions): InputBatch {
  if (body.length === 0) throw new DomainError('invalid_input', 'The body is empty; send an Arrow IPC file.');
  if (body.length < leastFileBytes || !isMagicAt(body, 0) || !isMagicAt(body, body.length - magic.length)) {
    throw new DomainError(
      'invalid_input',
      'The body is not a complete Arrow IPC file, which begins and ends with "ARROW1".',
    );
  }
  try {
    return readFile(readArrowFile(body), options);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new DomainError('invalid_input', `The Arrow IPC file cannot be read: ${error.message}.`);
  }
}

function readFile(file: ArrowFile, options: ArrowReadOptions): InputBatch {
  const batches = file.batches.filter((batch) => batch.rowCount > 0);
  const rowCount = batches.reduce((sum, batch) => sum + batch.rowCount, 0);
  checkRowCount(rowCount, options.maxRows);
  if (file.fields.length === 0) throw new DomainError('invalid_input', 'The Arrow IPC file has no columns.');
  checkColumnNames(file.fields.map((field) => field.name));
  const { maxDecompressedBytes } = options;
  const limits = { budget: new DecompressionBudget(maxDecompressedBytes), maxTextLength: maxDecompressedBytes };
  let firstRow = 0;
  const parts = batches.map((batch) => {
    const columns = readBatchColumns(file, batch, { ...limits, firstRow });
    firstRow += batch.rowCount;
    return columns;
  });
  const columns = file.fields.map((field, index) =>
    joinParts(
      field,
      parts.map((part) => part[index]!),
    ),
  );
  for (const column of columns) if (options.hints.has(column.name)) requireFinite(column, rowCount);
  return { rowCount, columns };
}

function isMagicAt(body: Buffer, at: number): boolean {
  return body.compare(magic, 0, magic.length, at, at + magic.length) === 0;
}
