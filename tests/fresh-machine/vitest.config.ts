import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: import.meta.dirname,
  test: {
    name: 'fresh-machine',
    include: ['**/*.test.ts'],
    // Installing Debian, then the product, from the network.
    hookTimeout: 900_000,
    testTimeout: 900_000,
  },
});
