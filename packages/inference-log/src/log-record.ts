import type { Column } from '@pademelon/contracts';

export interface LogModel {
  readonly name: string;
  readonly sha: string;
}

/** What all records of one pod have in common; sent once for every schema. */
export interface LogOrigin {
  readonly podId: string;
  readonly pipelineId: number;
  /** UUID of the pipeline version. */
  readonly pipelineVersion: string;
  /** Every model of the pipeline, challengers included: the rows are found under each of their names. */
  readonly modelNames: readonly string[];
  /** Names of all checks of the pipeline, failed or not. */
  readonly checks: readonly string[];
}

/** One answered request of one or more rows. */
export interface LogRecord {
  /** Milliseconds since the epoch, the same number that the answer carries as `time`. */
  readonly timeMs: number;
  /** At least 1. */
  readonly rowCount: number;
  /** `in.*`, then `out.*` (a challenger's as `out_<model>.*`); every column has rowCount rows. */
  readonly columns: readonly Column[];
  /** For each row the names of the checks that it failed; null when no row failed any. */
  readonly checkFailures: readonly (readonly string[])[] | null;
  /** The model that gave the answer. */
  readonly lastModel: LogModel;
  /** Nanoseconds spent on reading the request and in the models. */
  readonly elapsedNs: readonly [number, number];
  /** Groups of columns, `out_<model>`, that are missing because their model was late or failed. */
  readonly dropped?: readonly string[];
}

/** The description of a column without its values. */
export type LogColumnShape = Pick<Column, 'name' | 'type' | 'rowShape'> & { readonly isRagged: boolean };

/** What a schema frame says; records name it by its number within the connection. */
export interface LogSchema extends LogOrigin {
  readonly columns: readonly LogColumnShape[];
  readonly lastModel: LogModel;
  /** Columns left out because the record was too large for the log, and groups of columns that never came. */
  readonly dropped: readonly string[];
}
