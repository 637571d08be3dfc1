import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** Unit, component and contract tests; what needs all processes is in vitest.e2e.config.ts. */
export default defineConfig({
  // One copy of graphql: Node loads its index.js for packages, Vite would load its index.mjs for our sources.
  resolve: {
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) }],
  },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: [
      '**/src/**/*.spec.ts',
      'test/contract/**/*.spec.ts',
      'test/conformance/**/*.spec.ts',
      'test/k8s/**/*.spec.ts',
      'test/truth/**/*.spec.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
