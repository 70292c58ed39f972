import { resolve as resolvePath } from 'node:path';
import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['source', 'module', 'node', 'development|production'] };

// Runs that take all they can get, in a turn of their own: beside them every other test would be late.
export default defineConfig({
  root: resolvePath(import.meta.dirname, '../..'),
  resolve,
  ssr: { resolve },
  environments: { ssr: { resolve }, __vitest__: { resolve } },
  test: {
    name: 'hostile-code',
    include: ['apps/worker/src/hostile-code.int.test.ts'],
    globalSetup: ['packages/testing/src/vitest-setup.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
