import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compatibilitySuite } from './test/conformance/subgraph/compatibility-suite.js';

const suite = compatibilitySuite();
const stands = (file: string): string => join(import.meta.dirname, 'test/conformance/subgraph', file);

/** Apollo's own test files, unchanged, over a subgraph of ours: see test/conformance/README.md. */
export default defineConfig({
  root: suite,
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql/index.js')) },
      { find: /^make-fetch-happen$/, replacement: stands('suite-fetch.ts') },
      { find: /^execa$/, replacement: stands('suite-execa.ts') },
    ],
  },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: ['src/tests/*.test.ts'],
    exclude: [],
    globals: true,
    isolate: false,
    globalSetup: [stands('suite-setup.ts')],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
