import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERROR_KINDS } from '@sextant/domain';
import { buildSchema, type GraphQLSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', 'docs/guides', 'docs/decisions'].flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `${folder}/${file}`),
  ),
].filter((page) => existsSync(join(REPOSITORY, page)));

/** Codes of the GraphQL layer beside ours. */
const PROTOCOL_CODES = [
  'GRAPHQL_VALIDATION_FAILED',
  'GRAPHQL_PARSE_FAILED',
  'BAD_USER_INPUT',
  'INTERNAL_SERVER_ERROR',
];

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(join(REPOSITORY, page), 'utf8');

  it('shows only GraphQL that the supergraph accepts', () => {
    const schema = supergraph();
    for (const block of blocksOf(text, 'graphql')) {
      expect(
        validate(schema, parse(block)).map(({ message }) => message),
        block,
      ).toEqual([]);
    }
  });

  it('links to files that exist', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    const broken = local.filter((link) => !existsSync(join(REPOSITORY, dirname(page), link)));
    expect(broken).toEqual([]);
  });
});

describe('the configuration table of the contracts', () => {
  it('names every variable of every process, and no other', () => {
    const contracts = readFileSync(join(REPOSITORY, 'docs/contracts.md'), 'utf8');
    const table = contracts.slice(
      contracts.indexOf('| variable | who'),
      contracts.indexOf('`npm start` and'),
    );
    const rows = table.split('\n').map((row) => row.split('|')[1] ?? '');
    const named = rows.flatMap((cell) => [...cell.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name));
    const files = globSync(
      ['gateway/src/**/*config.ts', '{subgraphs/*,inference-worker,trainer,libs/platform}/src/*config.ts'],
      {
        cwd: REPOSITORY,
      },
    );
    const understood = files.flatMap((file) =>
      [...readFileSync(join(REPOSITORY, file), 'utf8').matchAll(/^ +([A-Z][A-Z0-9_]+): /gm)].map(
        ([, name]) => name,
      ),
    );
    expect(files.length).toBeGreaterThanOrEqual(5);
    expect(named.toSorted()).toEqual([...new Set(understood)].toSorted());
  });
});

describe('frontend guide', () => {
  const text = readFileSync(join(REPOSITORY, 'docs/guides/frontend.md'), 'utf8');

  it('holds the three main questions as examples', () => {
    const asked = blocksOf(text, 'graphql').join('\n');
    for (const field of ['recommendations', 'priceQuotes', 'scoreLeads', 'ingestEvents'])
      expect(asked).toContain(`${field}(`);
  });

  it('explains only error codes that exist', () => {
    const table = text.slice(text.indexOf('| code | meaning'), text.indexOf('All codes:'));
    const codes = [...table.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map((match) => match[1] ?? '');
    expect(codes.length).toBeGreaterThan(10);
    expect(codes.filter((code) => !(code in ERROR_KINDS) && !PROTOCOL_CODES.includes(code))).toEqual([]);
  });
});

describe('operator guide', () => {
  it('names only metrics that a process exports', () => {
    const text = readFileSync(join(REPOSITORY, 'docs/guides/operator.md'), 'utf8');
    const named = [...new Set(text.match(/\bsextant_[a-z_]+/g) ?? [])];
    expect(named.length).toBeGreaterThan(8);
    const code = ['gateway', 'subgraphs', 'inference-worker', 'trainer', 'libs'].map(codeBelow).join('\n');
    expect(named.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
  });
});

function codeBelow(folder: string): string {
  return globSync(`${folder}/**/src/**/*.ts`, { cwd: REPOSITORY, exclude: (name) => name === 'node_modules' })
    .map((file) => readFileSync(join(REPOSITORY, file), 'utf8'))
    .join('\n');
}

function supergraph(): GraphQLSchema {
  return buildSchema(readFileSync(join(REPOSITORY, 'gateway/supergraph.graphql'), 'utf8'), {
    assumeValidSDL: true,
  });
}

function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(/^ *```(\w+)\n([\s\S]*?)^ *```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => match[2] ?? '');
}
