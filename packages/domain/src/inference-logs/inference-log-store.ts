/** A pipeline that the asker may see. */
export interface LoggedPipeline {
  readonly id: number;
  readonly name: string;
  readonly workspaceId: number;
}

/** How rows of a pipeline are numbered: all of them, or only those that failed a check. Both from 0, without gaps. */
export type LogNumbering = 'rows' | 'failures';

export interface LogSpan {
  /** Number of the oldest row that is kept. */
  readonly start: number;
  /** One more than the number of the newest. */
  readonly end: number;
}

export interface StoredBatch {
  readonly pipelineId: number;
  /** Day of the partition, YYYY-MM-DD. */
  readonly day: string;
  readonly firstRow: number;
  readonly rowCount: number;
  readonly firstFailure: number;
  readonly failureCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** Of what `readBatches` gives for the numbering that the batch was listed by, or somewhat more. */
  readonly sizeBytes: number;
}

export interface BatchQuery {
  readonly pipelineId: number;
  readonly numbering: LogNumbering;
  readonly order: 'asc' | 'desc';
  /** Numbers of rows: from (inclusive) and below (exclusive). */
  readonly from: number;
  readonly below: number;
  /** Milliseconds, both inclusive. */
  readonly startMs: number | null;
  readonly endMs: number | null;
  /** Only batches of pipelines in which the model took part. */
  readonly modelName: string | null;
  readonly limit: number;
}

/** Where the log is read. Every method that takes a user id answers only of workspaces that the user is in. */
export interface InferenceLogStore {
  findPipeline(userId: string, pipelineId: number): Promise<LoggedPipeline | null>;
  findPipelineByName(userId: string, workspaceId: number, name: string): Promise<LoggedPipeline | null>;
  /** Pipelines in whose log the model stands; null when the user sees no model of that name and no such rows. */
  findPipelinesOfModel(userId: string, modelName: string): Promise<LoggedPipeline[] | null>;
  findSpan(pipelineId: number, numbering: LogNumbering): Promise<LogSpan>;
  /** Batches that may hold rows asked for, in the order asked for, without their bytes. */
  listBatches(query: BatchQuery): Promise<StoredBatch[]>;
  /**
   * The bytes of the batches, in the same order; null for one that retention has dropped meanwhile. Of failures they may
   * have the failed rows alone, whose numbers among the failures are the same.
   */
  readBatches(batches: readonly StoredBatch[], numbering: LogNumbering): Promise<(Uint8Array | null)[]>;
}
