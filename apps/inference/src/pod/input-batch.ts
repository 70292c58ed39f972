import type { Column, ColumnType } from '@pademelon/contracts';

/** The rows of one request. */
export interface InputBatch {
  readonly rowCount: number;
  /** In the order of the first row, under the names that the caller used. */
  readonly columns: readonly Column[];
  /** Where the request's own JSON text of each cell lies; absent when the rows did not come as JSON records. */
  readonly text?: CellText;
  /** What the caller asked of the answer; absent for all but the Open Inference Protocol. */
  readonly open?: OpenQuestion;
}

/** What a request of the Open Inference Protocol asks of its answer. */
export interface OpenQuestion {
  /** To be repeated in the answer. */
  readonly id: string | null;
  /** The outputs to answer with, in this order; null for all. */
  readonly outputs: readonly OpenOutput[] | null;
  /** Whether outputs that do not say how they want to come come as bytes. */
  readonly wantsBinary: boolean;
}

export interface OpenOutput {
  readonly name: string;
  /** Bytes behind the JSON instead of a list of values in it. */
  readonly isBinary: boolean;
}

/** Cell (row, column) is body[bounds[2 * (row * columns + column)] .. bounds[that + 1]). */
export interface CellText {
  readonly body: Buffer;
  readonly bounds: Int32Array;
}

/** How a column of a request is to be read because a model takes it. */
export interface InputHint {
  readonly type: ColumnType;
  readonly rowShape: readonly (number | null)[];
}

/** Hints by column name; a column without one is read by what it holds. */
export type InputHints = ReadonlyMap<string, InputHint>;
