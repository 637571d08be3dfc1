// For frontend teams: TypeScript types of the operations in a folder, and the manifest of persisted documents that goes with them.
//
//   --operations DIR  folder of .graphql files; clients/operations by default
//   --schema FILE     public schema; that of this repository by default, with --partner the one for partners
//   --out FILE        clients/typescript/src/generated/graph.ts by default
//   --manifest FILE   clients/persisted-documents.json by default
//   --check           writes nothing; a stale file is an error
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { codegen } from '@graphql-codegen/core';
import * as typescriptOperations from '@graphql-codegen/typescript-operations';
import { buildSchema, parse, printSchema } from 'graphql';
import prettier from 'prettier';
import { ROOT } from './composition/subgraph-files.mjs';
import * as typedDocuments from './schema/typed-documents.mjs';
import { manifestOf, readOperations } from './schema/operations.mjs';
import { partnerSchema, publicSchema } from './schema/public-schema.mjs';

const path = (fallback) => ({ type: 'string', default: join(ROOT, fallback) });
const flag = { type: 'boolean', default: false };
const { values: options } = parseArgs({
  options: {
    operations: path('clients/operations'),
    out: path('clients/typescript/src/generated/graph.ts'),
    manifest: path('clients/persisted-documents.json'),
    schema: { type: 'string' },
    partner: flag,
    check: flag,
  },
});

try {
  const schema = options.schema
    ? buildSchema(readFileSync(options.schema, 'utf8'))
    : options.partner
      ? partnerSchema()
      : publicSchema();
  const operations = readOperations(resolve(options.operations), schema);
  save(options.out, await typesOf(schema, operations));
  save(options.manifest, manifestOf(operations));
} catch (error) {
  fail(error.message);
}

async function typesOf(schema, operations) {
  const source = await codegen({
    schema: parse(printSchema(schema)),
    documents: operations.map(({ name, document }) => ({ location: name, document })),
    filename: options.out,
    plugins: [{ 'typescript-operations': {} }, { 'typed-documents': { operations } }],
    pluginMap: { 'typescript-operations': typescriptOperations, 'typed-documents': typedDocuments },
    skipDocumentsValidation: true,
    config: {
      scalars: { ID: 'string', DateTime: 'string', JSON: 'unknown', EventInput: 'EventInput' },
      strictScalars: true,
      skipTypename: true,
      useTypeImports: true,
      immutableTypes: true,
      dedupeFragments: true,
    },
  });
  const settings = await prettier.resolveConfig(join(ROOT, 'package.json'));
  return prettier.format(source, { ...settings, parser: 'typescript' });
}

function save(file, content) {
  const shown = relative(process.cwd(), file);
  if (options.check) {
    if (contentOf(file) !== content) fail(`${shown} is stale: run npm run codegen and commit it.`);
    return console.log(`${shown} is current.`);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  console.log(`Wrote ${shown}.`);
}

function contentOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
