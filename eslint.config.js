import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const only = (sourceTag, ...onlyDependOnLibsWithTags) => ({ sourceTag, onlyDependOnLibsWithTags });

/** Packages that belong to one kind of file (STYLE: transport is thin, effects at the edge). */
const kept = (name, message) => ({ name, message });

const NODE_GLOBALS = Object.fromEntries(
  ['process', 'console', 'URL', 'Buffer', 'performance', 'setTimeout', 'clearTimeout'].map((name) => [
    name,
    'readonly',
  ]),
);

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '**/generated/**', '.data/**', '.nx/**', '**/coverage/**'],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  prettier,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: false,
          allow: [],
          depConstraints: [
            only('type:app', 'type:lib', 'type:testing'),
            only('type:test', 'type:lib', 'type:testing'),
            only('type:testing', 'type:lib'),
            { sourceTag: 'scope:domain', onlyDependOnLibsWithTags: [], bannedExternalImports: ['*'] },
            only('scope:artefacts', 'scope:domain'),
            only('scope:learning', 'scope:domain', 'scope:artefacts'),
            only('scope:features', 'scope:domain', 'scope:learning', 'type:testing'),
            only('scope:onnx', 'scope:domain', 'scope:learning', 'scope:artefacts', 'type:testing'),
            only('scope:lightgbm', 'scope:domain', 'scope:learning', 'scope:local-services', 'type:testing'),
            only(
              'scope:training',
              'scope:domain',
              'scope:artefacts',
              'scope:learning',
              'scope:onnx',
              'scope:lightgbm',
              'scope:local-services',
              'type:testing',
            ),
            only(
              'scope:model-import',
              'scope:domain',
              'scope:artefacts',
              'scope:features',
              'scope:learning',
              'scope:onnx',
              'type:testing',
            ),
            only('scope:audit', 'scope:domain', 'type:testing'),
            only('scope:access-keys', 'scope:domain', 'type:testing'),
            only('scope:inference-protocol', 'scope:domain', 'type:testing'),
            only('scope:telemetry', 'scope:domain', 'type:testing'),
            only('scope:model-registry', 'scope:domain', 'scope:artefacts', 'type:testing'),
            only('scope:decision-log', 'scope:domain', 'scope:artefacts', 'scope:features', 'type:testing'),
            only('scope:monitoring', 'scope:domain', 'scope:artefacts', 'scope:learning', 'type:testing'),
            only(
              'scope:batch-scoring',
              'scope:domain',
              'scope:artefacts',
              'scope:features',
              'scope:inference-protocol',
              'scope:model-registry',
              'type:testing',
            ),
            only('scope:change-streams', 'scope:domain', 'scope:local-services', 'type:testing'),
            only('scope:platform', 'scope:domain', 'scope:telemetry', 'type:testing'),
            only('scope:local-services', 'scope:domain', 'type:testing'),
          ],
        },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'max-params': ['error', 4],
      'max-depth': ['error', 4],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        { selector: 'ExportAllDeclaration', message: 'List what the library offers by name.' },
      ],
    },
  },
  {
    files: ['**/src/**/*.ts'],
    ignores: [
      '**/*.spec.ts',
      '**/main.ts',
      'trainer/src/training-process.ts',
      'trainer/src/batch/batch-process.ts',
      'libs/testing/**',
      'libs/local-services/**',
      'tools/**',
    ],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read configuration in main.ts and pass it on.' },
      ],
    },
  },
  {
    files: ['**/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/testing/**', '**/test-*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 40 }] },
  },
  {
    files: ['**/src/**/*.ts'],
    ignores: [
      'inference-worker/src/onnx/**',
      'libs/training/src/runtime/**',
      'libs/model-import/src/runtime/**',
      '**/*.spec.ts',
    ],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            kept(
              'onnxruntime-node',
              'ONNX Runtime is reached through inference-worker/src/onnx when serving and libs/training/src/runtime when training.',
            ),
          ],
        },
      ],
    },
  },
  { files: ['libs/domain/**/*.spec.ts'], rules: { '@nx/enforce-module-boundaries': 'off' } },
  { files: ['*.config.ts', '*.config.js'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: NODE_GLOBALS },
  },
);
