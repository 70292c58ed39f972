import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['source', 'module', 'node', 'development|production'] };

export default defineConfig({
  root: import.meta.dirname,
  resolve,
  ssr: { resolve },
  test: {
    name: 'docker',
    include: ['**/*.test.ts'],
    fileParallelism: false,
    // Installing and building everything as an image would, from the network.
    hookTimeout: 1_200_000,
    testTimeout: 300_000,
  },
});
