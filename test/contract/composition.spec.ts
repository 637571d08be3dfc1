import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ERROR_KINDS } from '@sextant/domain';
import { composeSchemaContract } from '@theguild/federation-composition';
import { buildSchema, isObjectType, parse } from 'graphql';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { ROOT } from './graph-processes.js';

/** Runs a tool from elsewhere, as a stranger to its folder. */
function run(tool: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'tools', tool), ...args], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

describe('what is generated and committed', () => {
  it.each(['compose.mjs', 'reference.mjs', 'errors-page.mjs', 'metrics-page.mjs'])(
    '%s would write nothing new',
    (tool) => {
      expect(run(tool, '--check')).toMatchObject({ status: 0 });
    },
  );

  it('documents every error code', () => {
    const page = readFileSync(join(ROOT, 'docs/reference/errors.md'), 'utf8');
    expect(
      Object.entries(ERROR_KINDS).filter(([code, kind]) => !page.includes(`| \`${code}\` | ${kind} |`)),
    ).toEqual([]);
  });

  it('has .proto files that parse, in versioned packages', () => {
    const folder = join(ROOT, 'proto');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.proto'),
    );
    expect(files.length).toBeGreaterThanOrEqual(3);
    const parsed = files.map((file) => protobuf.parse(readFileSync(join(folder, file), 'utf8')));
    const services = parsed.flatMap(({ root }) => root.nestedArray).length;
    expect(services).toBeGreaterThanOrEqual(files.length);
    expect(parsed.map((file) => file.package)).toContain('sextant.inference.v1');
  });
});

describe('the partner contract', () => {
  const services = readdirSync(join(ROOT, 'subgraphs')).map((name) => ({
    name,
    url: `http://${name}.invalid`,
    typeDefs: parse(schemaOf(name)),
  }));
  const contract = composeSchemaContract(
    services,
    { include: new Set(['partner']), exclude: new Set<string>() },
    true,
  );

  it('composes', () => {
    expect(contract.errors?.map(({ message }) => message)).toBeUndefined();
  });

  const fields = fieldsOf(contract.publicSdl ?? '');

  it('shows the catalogue and recommendations', () => {
    for (const shown of [
      'Query.products',
      'Query.product',
      'Query.sessionRecommendations',
      'Product.title',
      'RecommendationSet.items',
      'Money.amount',
    ]) {
      expect(fields).toContain(shown);
    }
  });

  it('shows no cost, no person, nothing of campaigns and models, and no way to write', () => {
    expect(
      fields.filter((field) =>
        /^(Customer|Account|Event|Campaign|Message|Score|Model|TrainingJob|DecisionRecord|Mutation)\b/.test(
          field,
        ),
      ),
    ).toEqual([]);
    expect(
      fields.filter((field) => /cost|stock|margin|explanation|trait|decision$|customer/i.test(field)),
    ).toEqual([]);
  });
});

function schemaOf(subgraph: string): string {
  const folder = join(ROOT, 'subgraphs', subgraph, 'schema');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

/** `Type.field` of each object type in an SDL. */
function fieldsOf(sdl: string): string[] {
  return Object.values(buildSchema(sdl, { assumeValidSDL: true }).getTypeMap())
    .filter(isObjectType)
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => Object.keys(type.getFields()).map((field) => `${type.name}.${field}`));
}
