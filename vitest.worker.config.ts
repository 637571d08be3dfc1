import { defineConfig } from 'vitest/config';

/**
 * The inference worker as a process under load, faults and hostile clients, and ingestion beside the driver; one file after the other
 * and no company beside them, since they measure.
 */
export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['test/worker/**/*.spec.ts', 'test/e2e/bulk-ingest.spec.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
