import type { Column } from '@pademelon/contracts';
import type { InputBatch } from '../input-batch.ts';
import { joinColumns } from '../join-columns.ts';
import type { Flow } from '../pipeline-steps/pipeline-step.ts';

/**
 * Text that two batches share exactly when their rows may be joined: the same columns, types and row shapes in the same
 * order. Null for rows of differing lengths, which no model takes and whose refusal names the row.
 */
export function layoutOf({ columns }: InputBatch): string | null {
  let layout = '';
  for (const { name, type, rowShape, offsets } of columns) {
    if (offsets !== undefined) return null;
    layout += `${JSON.stringify(name)} ${type} ${rowShape.join()}\n`;
  }
  return layout;
}

/** A copy that stays as it is when the reader goes on to the next request. */
export function keepBatch(batch: InputBatch): InputBatch {
  const { columns, text } = batch;
  const kept = columns.map(keepColumn);
  if (text === undefined) return { ...batch, columns: kept };
  return { ...batch, columns: kept, text: { body: text.body, bounds: text.bounds.slice() } };
}

function keepColumn({ offsets, ...column }: Column): Column {
  const kept = { ...column, values: column.values.slice() as Column['values'] };
  return offsets === undefined ? kept : { ...kept, offsets: offsets.slice() };
}

/** The rows of batches of one layout as one batch, in their order. */
export function joinBatches(batches: readonly InputBatch[]): InputBatch {
  return {
    rowCount: batches.reduce((sum, batch) => sum + batch.rowCount, 0),
    columns: batches[0]!.columns.map((_, index) => joinColumns(batches.map((batch) => batch.columns[index]!))),
  };
}

/** What rows `start` to `end` of a joined batch became. */
export function cutFlow(flow: Flow, start: number, end: number): Flow {
  const { rowCount, columns, isChained, lastModel, checks } = flow;
  return {
    rowCount: end - start,
    columns: columns.map((column) => cutColumn(column, { start, end, rowCount })),
    isChained,
    lastModel,
    checks: checks.map((check) => ({ ...check, failures: check.failures.subarray(start, end) })),
  };
}

function cutColumn(column: Column, rows: { start: number; end: number; rowCount: number }): Column {
  const { name, type, rowShape, values } = column;
  const width = values.length / rows.rowCount;
  const [from, to] = [rows.start * width, rows.end * width];
  return {
    name,
    type,
    rowShape,
    values: ArrayBuffer.isView(values) ? values.subarray(from, to) : values.slice(from, to),
  };
}
