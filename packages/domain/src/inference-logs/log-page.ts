import type { LogBatch } from './log-batch.ts';

/**
 * Why a page ends where it does: everything asked for is in it; as many rows as asked for; as many bytes as an answer
 * may have; or the rows beyond have other columns.
 */
export type LogPageStatus = 'All' | 'RecordLimited' | 'ByteLimited' | 'SchemaChange';

/** Partition name → number of a row: ascending, the next one; descending, the one after the next. */
export type LogIterator = Readonly<Record<string, number>>;

export interface LogQuery {
  readonly iterator: LogIterator;
  readonly order: 'asc' | 'desc';
  /** Rows; null for as many as fit into the page's bytes. */
  readonly limit: number | null;
  /** Milliseconds since the epoch, both inclusive. */
  readonly startMs: number | null;
  readonly endMs: number | null;
}

/** Some rows of a batch, in the order of the page. */
export interface LogSelection {
  readonly batch: LogBatch;
  readonly rows: Int32Array;
}

export interface LogPage {
  /** All with the same columns; sorted by time, rows of different batches included, by `orderedRows`. */
  readonly selections: readonly LogSelection[];
  readonly rowCount: number;
  readonly status: LogPageStatus;
  /** What to ask for next; null when nothing is left. */
  readonly next: LogIterator | null;
}

/**
 * The place of every row of a page in time order (or reverse): pairs of selection and row in its batch. Batches are
 * read in the order of their commits, in which rows of several pods may be a few milliseconds out of order.
 */
export function orderedRows(page: LogPage, order: 'asc' | 'desc'): { selection: Int32Array; row: Int32Array } {
  const selection = new Int32Array(page.rowCount);
  const row = new Int32Array(page.rowCount);
  const times = new Float64Array(page.rowCount);
  let at = 0;
  let isOrdered = true;
  page.selections.forEach(({ batch, rows }, number) => {
    for (const index of rows) {
      selection[at] = number;
      row[at] = index;
      times[at] = batch.timesMs[index]!;
      if (at > 0 && (order === 'asc' ? times[at]! < times[at - 1]! : times[at]! > times[at - 1]!)) isOrdered = false;
      at++;
    }
  });
  if (isOrdered) return { selection, row };
  const sign = order === 'asc' ? 1 : -1;
  // Equal times keep their order: the sort is stable.
  const places = Array.from(times.keys()).sort((a, b) => sign * (times[a]! - times[b]!));
  return {
    selection: Int32Array.from(places, (place) => selection[place]!),
    row: Int32Array.from(places, (place) => row[place]!),
  };
}
