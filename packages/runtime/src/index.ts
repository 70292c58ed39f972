export * from './logger.ts';
export * from './public-address.ts';
export * from './run-process.ts';
export * from './sealing-keys.ts';
export * from './secret-key.ts';
export * from './settings.ts';
export * from './within.ts';
