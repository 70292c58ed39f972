export * from './forked-connection-tester.ts';
