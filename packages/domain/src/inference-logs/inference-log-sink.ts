/** A batch ready to be stored. */
export interface EncodedLogBatch {
  readonly pipelineId: number;
  readonly rowCount: number;
  readonly failureCount: number;
  /** Milliseconds since the epoch of the oldest and newest row. */
  readonly firstMs: number;
  readonly lastMs: number;
  readonly modelNames: readonly string[];
  readonly fingerprint: string;
  /** For each pod the numbers of its first and last record in the batch. */
  readonly sequences: Readonly<Record<string, readonly [number, number]>>;
  readonly bytes: Uint8Array;
  /** The rows that failed a check alone, as a batch of their own; null where `bytes` are as good to find them in. */
  readonly failedBytes: Uint8Array | null;
}

/**
 * Why rows that were answered are not in the log: `lost` on the way from a pod (its buffer was full, or it died),
 * `overflow` of the host's buffer while the database was away or slow, `refused` by the database.
 */
export type LogDropReason = 'lost' | 'overflow' | 'refused';

export interface LogDrop {
  readonly pipelineId: number;
  readonly reason: LogDropReason;
  readonly records: number;
  readonly rows: number;
}

/** Names one write of one writer, so that it counts once however often it is tried. Numbers of a writer ascend. */
export interface LogWriteKey {
  readonly writerId: string;
  readonly number: number;
}

/** Where a collector puts batches. Throws `unavailable` when trying again later can help; anything else cannot. */
export interface InferenceLogSink {
  writeBatch(batch: EncodedLogBatch, key: LogWriteKey): Promise<void>;
  writeDrops(drops: readonly LogDrop[], key: LogWriteKey): Promise<void>;
}
