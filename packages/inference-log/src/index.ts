export * from './arrow-batch-codec.ts';
export * from './arrow-columns.ts';
export * from './arrow-file.ts';
export * from './frames.ts';
export * from './log-collector.ts';
export type { LogCounts } from './pod-ledger.ts';
