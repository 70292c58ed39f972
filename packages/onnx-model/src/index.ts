export * from './inspect-model.ts';
