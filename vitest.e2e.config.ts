import { defineConfig } from 'vitest/config';

/** Stories over real processes, one after the other: they measure, and they kill what they started. */
export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/e2e/**/*.spec.ts', 'test/faults/**/*.spec.ts'],
    exclude: ['test/e2e/bulk-ingest.spec.ts'],
    globalSetup: ['test/support/demo-sextant.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
