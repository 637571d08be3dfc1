import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { GraphQLSchemaHost } from '@nestjs/graphql';
import { execute, type ExecutionResult, parse } from 'graphql';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, subgraphConfig } from './config.js';
import { createLogger } from './logger.js';
import { signRequest } from './request-signature.js';
import { subgraphGraphqlModule } from './subgraph-graphql.module.js';
import { type RunningSubgraph, startSubgraph } from './subgraph-service.js';
import { pause, ProductResolver, SDL } from './testing/product.fixture.js';

const ENTITIES = `query ($of: [_Any!]!) { _entities(representations: $of) { ... on Product {
  id label(suffix: "!") whose piped(size: 3) } } }`;
const PLAIN = ENTITIES.replace('piped(size: 3)', '');
const identity = { subject: 'someone', tenantId: 'demo', roles: [], scopes: ['a'] };
const SECRET = 'a secret of thirty-two characters';

async function answerOf(response: Response): Promise<ExecutionResult> {
  return (await response.json()) as ExecutionResult;
}

describe('a subgraph', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-platform-'));
  let subgraph: RunningSubgraph;
  beforeAll(async () => {
    const schema = join(folder, 'schema.graphql');
    writeFileSync(schema, SDL);
    const logger = createLogger('spec', 'silent');
    class SpecModule {}
    Module({
      imports: [subgraphGraphqlModule({ typePaths: [schema], scalars: {}, logger })],
      providers: [ProductResolver],
    })(SpecModule);
    const config = loadConfig(subgraphConfig({ http: 0, metrics: 0 }), {
      ...{ SEXTANT_SIGNING_SECRET: SECRET, MONGODB_URI: 'mongodb://unused', LOG_LEVEL: 'silent' },
    });
    const registry = new Registry();
    const definition = { name: 'spec', module: SpecModule, registry, logger, checks: () => [] };
    subgraph = await startSubgraph(definition, config);
  });
  afterAll(async () => {
    await subgraph.close();
    rmSync(folder, { recursive: true });
  });

  function send(body: string | Buffer, path = '/graphql'): Promise<Response> {
    const signing = { secret: SECRET, nowMs: Date.now() };
    const signed = signRequest({ receiver: 'spec', method: 'POST', path, body }, identity, signing);
    const headers = { 'content-type': 'application/json', ...signed };
    return fetch(new URL(path, subgraph.url), {
      method: 'POST',
      body: Uint8Array.from(Buffer.from(body)),
      headers,
    });
  }
  const of = (...ids: string[]) => ids.map((id) => ({ __typename: 'Product', id }));

  it('gives each representation its entity, null or error in its place', async () => {
    const variables = { of: of('a', 'late', 'unknown', 'broken', 'rejected') };
    const { data, errors } = await answerOf(await send(JSON.stringify({ query: ENTITIES, variables })));
    const entity = (id: string) => ({ id, label: `the ${id}!`, whose: 'demo', piped: 'number 3' });
    expect(data?.['_entities']).toEqual([entity('a'), entity('late'), null, null, null]);
    expect(errors?.map(({ path, extensions }) => [path, extensions])).toEqual([
      [['_entities', 3], { code: 'PRODUCT_NOT_FOUND' }],
      [['_entities', 4], { code: 'PRODUCT_NOT_FOUND' }],
    ]);
  });

  it('calls the methods of fields in place: an answer that waits for nothing makes no promise', () => {
    const { schema } = subgraph.app.get(GraphQLSchemaHost);
    const asking = (ids: string[]) => ({
      schema,
      variableValues: { of: of(...ids) },
      contextValue: { identity },
    });
    const result = execute({ document: parse(PLAIN), ...asking(['a', 'b']) });
    expect(result).toMatchObject({ data: { _entities: [{ label: 'the a!' }, { label: 'the b!' }] } });
    expect(execute({ document: parse(ENTITIES), ...asking(['a']) })).toBeInstanceOf(Promise);
  });

  it('makes one promise for all entities that are waited for', async () => {
    const { schema } = subgraph.app.get(GraphQLSchemaHost);
    const { resolve } = schema.getQueryType()?.getFields()['_entities'] ?? {};
    const found = resolve?.(null, { representations: of('late', 'a') }, {}, {} as never);
    expect(await found).toEqual([{ id: 'late' }, { id: 'a', __typename: 'Product' }]);
  });

  it('refuses what is not signed before it reads the body', async () => {
    const headers = { 'content-type': 'application/json', 'content-length': '1000000' };
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(subgraph.url, { method: 'POST', headers }, ({ statusCode }) => {
        request.destroy();
        resolve(statusCode);
      });
      request.on('error', reject).write('{');
    });
    expect(status).toBe(401);
  });

  it.each([
    ['{"query":', 400, 'BAD_REQUEST'],
    [Buffer.alloc(16 * 1024 * 1024 + 1, 32), 413, 'REQUEST_TOO_LARGE'],
    ['', 400, 'BAD_REQUEST'],
    ['[{"query":"{ __typename }"}]', 400, 'BAD_REQUEST'],
    ['{"query":"{ nothing }"}', 400, 'GRAPHQL_VALIDATION_FAILED'],
  ])('answers a bad body with its status and code (%#)', async (body, status, code) => {
    const response = await send(body);
    const { errors } = await answerOf(response);
    expect([response.status, errors?.[0]?.extensions['code']]).toEqual([status, code]);
  });

  it('has nothing on other paths', async () => {
    expect((await send('{"query":"{ __typename }"}', '/other')).status).toBe(404);
  });

  it('answers what is under way before it closes', async () => {
    const answer = send('{"query":"{ pause }"}');
    await expect.poll(() => pause.isAsked).toBe(true);
    const closed = subgraph.close();
    pause.gate.resolve(1);
    expect(await (await answer).json()).toEqual({ data: { pause: 1 } });
    await closed;
  });
});
