import { gatherColumn, type RowPlaces } from './gather-column.ts';
import type { LogBatch, LogFailures } from './log-batch.ts';

/** Some rows of a batch as a batch of their own, which has nothing of its memory. */
export function gatherRows(batch: LogBatch, rows: readonly number[]): LogBatch {
  const places: RowPlaces = { source: new Int32Array(rows.length), row: Int32Array.from(rows) };
  const numbers = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]!);
  return {
    rowCount: rows.length,
    timesMs: numbers(batch.timesMs),
    columns: batch.columns.map((column) => gatherColumn([column], places)),
    failures: batch.failures && gatherFailures(batch.failures, places),
    elapsedNs: [numbers(batch.elapsedNs[0]), numbers(batch.elapsedNs[1])],
    pods: Int32Array.from(rows, (row) => batch.pods[row]!),
    facts: batch.facts,
  };
}

function gatherFailures({ offsets, numbers }: LogFailures, places: RowPlaces): LogFailures {
  const lists = { name: 'failures', type: 'int32', rowShape: [-1], values: numbers, offsets } as const;
  const gathered = gatherColumn([lists], places);
  return { offsets: gathered.offsets!, numbers: gathered.values as Int32Array };
}
