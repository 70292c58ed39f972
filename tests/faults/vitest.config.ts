import { defineConfig } from 'vitest/config';

const conditions = ['source', 'module', 'node', 'development|production'];

// The started product under load, its pods and hosts told to end, killed, stuck and overloaded. One file after another:
// two cores serve the product and its callers.
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'faults',
    include: ['**/*.test.ts'],
    fileParallelism: false,
    // How long each test may take depends on its size, which the tests know.
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
