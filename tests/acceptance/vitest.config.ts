import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const conditions = ['source', 'module', 'node', 'development|production'];

// Black box: the product is started once by its own launcher and used over HTTP only. Files run one after another,
// since two cores serve the product, its database and its Python clients.
export default defineConfig({
  root: import.meta.dirname,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: 'acceptance',
    include: ['**/*.test.ts'],
    globalSetup: [resolve(import.meta.dirname, 'support/platform-setup.ts')],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
});
