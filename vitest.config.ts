import { defineConfig } from 'vitest/config';

/** Unit, component and contract tests; what needs all processes is in vitest.e2e.config.ts. */
export default defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['**/src/**/*.spec.ts', 'test/contract/**/*.spec.ts', 'test/k8s/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
