export * from './artifact-sweeper.ts';
export * from './fetched-artifacts.ts';
export * from './local-artifact-store.ts';
