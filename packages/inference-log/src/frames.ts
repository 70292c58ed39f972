// What a pod needs, without Arrow.
export * from './log-frame-encoder.ts';
export * from './log-record.ts';
export * from './log-writer.ts';
