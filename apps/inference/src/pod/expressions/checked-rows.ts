import type { Column } from '@pademelon/contracts';

/** What checks look at: the rows as they are where the Check step stands. */
export interface CheckedRows {
  readonly rowCount: number;
  /** The request's columns, `in.*`. */
  readonly inputs: readonly Column[];
  /** What the step before left, `out.*`. */
  readonly outputs: readonly Column[];
  /** The model steps before, the latest last. */
  readonly runs: readonly ModelStepRun[];
}

/** What a model step was given and what it made of it. */
export interface ModelStepRun {
  /** Names of the models of which each row went through one. */
  readonly models: readonly string[];
  readonly rowCount: number;
  readonly inputs: readonly Column[];
  readonly outputs: readonly Column[];
}

/** A validation made ready to run. */
export interface Check {
  readonly name: string;
  /** What a failure is shown as in the classic form of 2023; absent where it is shown by the name. */
  readonly text?: string;
  /** One byte a row: 1 where it failed. Throws a DomainError when the rows are not what it takes them for. */
  run(rows: CheckedRows): Uint8Array;
}
