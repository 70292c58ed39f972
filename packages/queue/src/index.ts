export * from './doorbell-queue.ts';
