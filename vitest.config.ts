import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 20_000,
    // The tests run against the built package, as its users do.
    server: { deps: { external: [/\/dist\//] } },
  },
});
