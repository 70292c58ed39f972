import { defineConfig } from 'vitest/config';

const conditions = ['source', 'module', 'node', 'development|production'];

// The real API, workers, PostgreSQL and Redis, killed and frozen. One file after another: two cores serve them all.
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'chaos',
    include: ['**/*.test.ts'],
    fileParallelism: false,
    // How long each test may take depends on its size, which the tests know.
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
