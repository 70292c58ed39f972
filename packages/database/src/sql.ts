// What needs PostgreSQL but not Prisma, whose client costs memory and start-up time that gateways and hosts save.
export * from './access-rows.ts';
export * from './change-listener.ts';
export * from './current-attempts.ts';
export * from './deployment-load-rows.ts';
export * from './inference-log-partitions.ts';
export * from './inference-log-sink.ts';
export * from './log-retention-sweep.ts';
export * from './pg-model-build-store.ts';
export * from './pg-packaging-store.ts';
export * from './pg-run-store.ts';
export * from './pg-run-surroundings.ts';
export * from './pg-schedule-store.ts';
export * from './pod-models.ts';
export * from './pod-rows.ts';
export * from './pool.ts';
export * from './route-rows.ts';
export * from './signing-key-store.ts';
