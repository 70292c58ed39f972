import type { ColumnType } from '@pademelon/contracts';

/** Strings as Arrow keeps them: `count + 1` byte offsets into UTF-8 bytes. */
export interface LogStrings {
  readonly byteOffsets: Int32Array;
  readonly bytes: Uint8Array;
}

export type LogValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | LogStrings;

/**
 * A column of logged rows: as contracts' Column, but strings stay bytes, since most are copied and never looked at.
 * `offsets` is present where rows are lists of differing lengths.
 */
export interface LogColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly rowShape: readonly number[];
  readonly values: LogValues;
  readonly offsets?: Int32Array;
}

/** The checks that rows failed: row i failed checks[numbers[offsets[i]..offsets[i+1]]]. */
export interface LogFailures {
  readonly offsets: Int32Array;
  readonly numbers: Int32Array;
}

/** Rows of one pipeline with one schema, from any number of requests and pods, oldest first. The unit of storage. */
export interface LogBatch {
  readonly rowCount: number;
  /** Milliseconds since the epoch, ascending. */
  readonly timesMs: Float64Array;
  readonly columns: readonly LogColumn[];
  /** Null when no row failed a check. */
  readonly failures: LogFailures | null;
  /** Nanoseconds: reading the request, and in the models. */
  readonly elapsedNs: readonly [Float64Array, Float64Array];
  /** Number of the row's pod in `facts.podIds`. */
  readonly pods: Int32Array;
  readonly facts: LogFacts;
}

/** What all rows of a batch have in common. */
export interface LogFacts {
  readonly podIds: readonly string[];
  readonly pipelineVersion: string;
  readonly lastModel: { readonly name: string; readonly sha: string };
  /** Names of all checks of the pipeline. */
  readonly checks: readonly string[];
  /** Columns left out because they were too large for the log. */
  readonly dropped: readonly string[];
}

/** Reads batches from the bytes that are stored. */
export interface LogBatchDecoder {
  decode(bytes: Uint8Array): Promise<LogBatch>;
}

/** Equal for batches whose rows fit into one table: same columns in the same order, same checks. */
export function schemaFingerprint(batch: Pick<LogBatch, 'columns' | 'facts'>): string {
  const columns = batch.columns.map(({ name, type, rowShape, offsets }) => [
    name,
    type,
    rowShape,
    offsets !== undefined,
  ]);
  return JSON.stringify([columns, batch.facts.checks]);
}

/** Indexes of the rows that failed a check, ascending. */
export function failedRows(batch: LogBatch): number[] {
  const failed: number[] = [];
  if (batch.failures === null) return failed;
  const { offsets } = batch.failures;
  for (let row = 0; row < batch.rowCount; row++) if (offsets[row + 1]! > offsets[row]!) failed.push(row);
  return failed;
}

export function isStrings(values: LogValues): values is LogStrings {
  return !ArrayBuffer.isView(values);
}
