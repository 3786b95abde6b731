import { defineConfig } from 'vitest/config';
import everyday from '../../vitest.config.js';

// The package as its users get it: built, packed and installed, which takes minutes.
export default defineConfig({
  test: {
    ...everyday.test,
    include: ['test/package/*.test.ts'],
    exclude: [],
    testTimeout: 300_000,
    hookTimeout: 600_000,
  },
});
