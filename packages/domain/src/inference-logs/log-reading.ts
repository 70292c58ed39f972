import type { InferenceLogStore, LogNumbering } from './inference-log-store.ts';
import type { LogBatchDecoder } from './log-batch.ts';
import type { LogQuery } from './log-page.ts';

/** What is read, from where and how much of it. */
export interface LogReading {
  readonly store: InferenceLogStore;
  readonly decoder: LogBatchDecoder;
  readonly partitions: readonly { readonly name: string; readonly pipelineId: number }[];
  readonly numbering: LogNumbering;
  readonly modelName: string | null;
  readonly maxBytes: number;
  readonly query: LogQuery;
}
