import { defineConfig } from 'vitest/config';

// Where .ci/run wants the results to count.
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/package/**'],
    pool: 'forks',
    testTimeout: 20_000,
    // The tests run against the built package, as its users do.
    server: { deps: { external: [/\/dist\//] } },
    reporters: ['default', ...(report ? [['json', { outputFile: report }] as ['json', object]] : [])],
  },
});
