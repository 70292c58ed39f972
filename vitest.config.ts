import { defineConfig } from 'vitest/config';

// Two kinds of tests by file name: `x.test.ts` needs nothing but Node, `x.int.test.ts` gets a real PostgreSQL.
// The acceptance and chaos suites are started by scripts of their own: they need a built product.
const resolve = { conditions: ['source', 'module', 'node', 'development|production'] };

export default defineConfig({
  resolve,
  ssr: { resolve },
  environments: { ssr: { resolve }, __vitest__: { resolve } },
  test: {
    // What is awaited comes in time on a quiet machine; a busy one must not make it fail.
    expect: { poll: { timeout: 15_000, interval: 20 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.int.test.ts', '**/node_modules/**'],
          // Property tests take seconds on a busy machine; a test that hangs is still found.
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{apps,packages}/*/src/**/*.int.test.ts'],
          // Fork and memory bombs would make the tests beside them late: they have a turn of their own (tests/hostile-code).
          exclude: ['**/hostile-code.int.test.ts', '**/node_modules/**'],
          globalSetup: ['packages/testing/src/vitest-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
