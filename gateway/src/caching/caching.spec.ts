import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { Identity } from '@sextant/domain';
import { createLogger } from '@sextant/platform';
import { type ExecutionResult, graphql, parse } from 'graphql';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { FederatedEngine } from '../engine/federated-engine.js';
import { PreparedOperation } from '../pipeline/operation.js';
import { SubgraphMetrics } from '../subgraphs/subgraph-metrics.js';
import { HttpSubgraphTransport, SubgraphClients } from '../subgraphs/subgraph.transport.js';
import { aFetch, NOBODY, SECRET } from '../subgraphs/test-subgraph.js';
import { readSupergraph } from '../supergraph/supergraph.js';
import { AnswerCache } from './answer-cache.js';
import { readCacheRules } from './cache-rules.js';
import { CacheMetrics } from './cache-metrics.js';
import { CachingTransport } from './caching.transport.js';

const DIRECTIVES = `
  directive @cacheable(maxAgeSeconds: Int!, staleIfErrorSeconds: Int) on FIELD_DEFINITION
  directive @invalidates(types: [String!]!) on FIELD_DEFINITION
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@composeDirective", "@shareable"])
    @link(url: "https://sextant.invalid/cache/v0.1", import: ["@cacheable", "@invalidates"])
    @composeDirective(name: "@cacheable")
    @composeDirective(name: "@invalidates")`;
const CATALOGUE = `${DIRECTIVES}
  type Money { amount: String! }
  type Product @key(fields: "id") {
    id: ID!
    title(language: String): String @cacheable(maxAgeSeconds: 60, staleIfErrorSeconds: 600)
    listPrice: Money @cacheable(maxAgeSeconds: 10)
    stock: Int
  }
  type ProductPage { nodes: [Product!]! }
  type Query { products: ProductPage @cacheable(maxAgeSeconds: 30, staleIfErrorSeconds: 600) product(id: ID!): Product }
  type Mutation { rename(id: ID!, title: String!): Boolean @invalidates(types: ["Product"]) touch: Boolean }`;
const PEOPLE = `${DIRECTIVES}
  type Customer @key(fields: "id") { id: ID! consentVersion: String! }
  type Product @key(fields: "id", resolvable: false) { id: ID! }
  type Query { favourites(ids: [ID!]!): [Product] customer(id: ID!): Customer }`;
const LETTERS = `${DIRECTIVES}
  type Customer @key(fields: "id") {
    id: ID!
    consentVersion: String! @external
    greeting: String @requires(fields: "consentVersion") @cacheable(maxAgeSeconds: 60)
  }
  type Query { letters: Int }`;

const ended: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ended.splice(0).map((end) => end()));
});

interface Told {
  titles: Record<string, string>;
  consentVersion: string;
  /** subgraphs that answer 500 */
  down: Set<string>;
  /** queries that reached a subgraph, by its name */
  asked: Record<string, { query: string; variables: Record<string, unknown> }[]>;
  clockMs: number;
}

function resolversOf(told: Told): Record<string, object> {
  const product = (reference: { id: string }) => (told.titles[reference.id] ? reference : null);
  return {
    catalogue: {
      Product: {
        __resolveReference: product,
        title: ({ id }: { id: string }, { language }: { language?: string }) =>
          `${told.titles[id] ?? ''}${language ? ` (${language})` : ''}`,
        listPrice: () => ({ amount: '9.90' }),
        stock: () => 3,
      },
      Query: {
        products: () => ({ nodes: Object.keys(told.titles).map((id) => ({ id })) }),
        product: (_: unknown, reference: { id: string }) => product(reference),
      },
      Mutation: {
        rename: (_: unknown, { id, title }: { id: string; title: string }) =>
          Boolean((told.titles[id] = title)),
        touch: () => true,
      },
    },
    people: {
      Customer: { consentVersion: () => told.consentVersion },
      Query: {
        favourites: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ id })),
        customer: (_: unknown, reference: { id: string }) => reference,
      },
    },
    letters: {
      Customer: {
        __resolveReference: (reference: object) => reference,
        greeting: ({ consentVersion }: { consentVersion: string }) => `as of ${consentVersion}`,
      },
    },
  };
}

async function aServer(name: string, typeDefs: string, told: Told): Promise<string> {
  const schema = buildSubgraphSchema([
    { typeDefs: parse(typeDefs), resolvers: resolversOf(told)[name] as never },
  ]);
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Told['asked'][string][number];
      (told.asked[name] ??= []).push(body);
      if (told.down.has(name)) return void response.writeHead(500).end('down');
      void graphql({ schema, source: body.query, variableValues: body.variables }).then((result) =>
        response.end(JSON.stringify(result)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ended.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

const SERVICES: Record<string, string> = { catalogue: CATALOGUE, people: PEOPLE, letters: LETTERS };

function composed(services: Record<string, string> = SERVICES): string {
  const { supergraphSdl, errors } = composeServices(
    Object.entries(services).map(([name, sdl]) => ({
      name,
      url: 'http://unused.invalid',
      typeDefs: parse(sdl),
    })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

async function aCachedGraph({ maxBytes = 1_000_000 } = {}) {
  const told: Told = {
    titles: { a: 'Alpha', b: 'Beta', c: 'Gamma' },
    consentVersion: '1',
    down: new Set(),
    asked: {},
    clockMs: 1_000_000,
  };
  const sdl = composed();
  const supergraph = readSupergraph(sdl, { isOpen: true });
  const endpoints = new Map<string, { url: URL; secret: string; isForeign: boolean }>();
  for (const [name, typeDefs] of Object.entries(SERVICES))
    endpoints.set(name, {
      url: new URL(await aServer(name, typeDefs, told)),
      secret: SECRET,
      isForeign: false,
    });
  const registry = new Registry();
  const clients = new SubgraphClients({
    ...{ timeoutMs: 2_000, maxAnswerBytes: 1_000_000, retryRatio: 0, logger: createLogger('test', 'silent') },
    metrics: new SubgraphMetrics(registry),
  });
  const http = new HttpSubgraphTransport(endpoints, clients);
  ended.push(() => http.close());
  const cache = new AnswerCache({ maxBytes, now: () => told.clockMs });
  const shared = { cache, metrics: new CacheMetrics(registry, cache), spread: null, texts: { count: 0 } };
  const transport = new CachingTransport(http, readCacheRules(parse(sdl)), shared);
  const engine = new FederatedEngine({ supergraph, transport, rules: [] });
  async function ask(
    text: string,
    variables: Record<string, unknown> = {},
    identity: Identity = NOBODY,
  ): Promise<ExecutionResult & { cached: number }> {
    const prepared = engine.prepare(text, null, 'company');
    if (!(prepared instanceof PreparedOperation))
      throw new Error(prepared.map(({ message }) => message).join());
    const { context } = aFetch({ context: { identity } });
    const { rules } = supergraph;
    const result = await engine.execute({
      prepared,
      variables,
      context,
      withheld: new Map(),
      rules,
      supergraph,
    });
    return { ...result, cached: context.ledger.cached };
  }
  return { ask, told, cache, asked: (name: string) => told.asked[name] ?? [] };
}

const TITLES = 'query ($ids: [ID!]!) { favourites(ids: $ids) { id title } }';
const titled = (...entries: [string, string][]) => ({
  favourites: entries.map(([id, title]) => ({ id, title })),
});

describe('entities that are declared cacheable', () => {
  it('are fetched once, and only those that are missing are fetched', async () => {
    const { ask, asked } = await aCachedGraph();
    expect((await ask(TITLES, { ids: ['a', 'b'] })).data).toEqual(titled(['a', 'Alpha'], ['b', 'Beta']));
    const second = await ask(TITLES, { ids: ['b', 'c', 'a'] });
    expect(second.data).toEqual(titled(['b', 'Beta'], ['c', 'Gamma'], ['a', 'Alpha']));
    expect(second.cached).toBe(2);
    expect(asked('catalogue').map(({ variables }) => variables['representations'])).toEqual([
      [
        { __typename: 'Product', id: 'a' },
        { __typename: 'Product', id: 'b' },
      ],
      [{ __typename: 'Product', id: 'c' }],
    ]);
    expect((await ask(TITLES, { ids: ['a', 'a'] })).data).toEqual(titled(['a', 'Alpha'], ['a', 'Alpha']));
    expect(asked('catalogue')).toHaveLength(2);
  });

  it('are fetched again when the shortest of their ages is over', async () => {
    const { ask, asked, told } = await aCachedGraph();
    const query = '{ favourites(ids: ["a"]) { title listPrice { amount } } }';
    await ask(query);
    told.clockMs += 9_999;
    await ask(query);
    expect(asked('catalogue')).toHaveLength(1);
    told.clockMs += 1;
    await ask(query);
    expect(asked('catalogue')).toHaveLength(2);
  });

  it('are kept apart by arguments, tenant, roles and scopes, and shared between the subjects of one kind', async () => {
    const { ask, asked } = await aCachedGraph();
    const query = 'query ($l: String) { favourites(ids: ["a"]) { title(language: $l) } }';
    await ask(query, { l: 'de' });
    const other = await ask(query, { l: 'fr' });
    expect(other.data).toEqual({ favourites: [{ title: 'Alpha (fr)' }] });
    await ask(query, { l: 'de' }, { ...NOBODY, tenantId: 'other' });
    await ask(query, { l: 'de' }, { ...NOBODY, roles: ['web'] });
    await ask(query, { l: 'de' }, { ...NOBODY, scopes: [] });
    expect(asked('catalogue')).toHaveLength(5);
    expect((await ask(query, { l: 'de' }, { ...NOBODY, subject: 'another' })).cached).toBe(1);
    expect(asked('catalogue')).toHaveLength(5);
  });

  it('are never kept when one field beside them is not declared', async () => {
    const { ask, asked } = await aCachedGraph();
    const query = '{ favourites(ids: ["a"]) { title stock } }';
    await ask(query);
    expect((await ask(query)).cached).toBe(0);
    expect(asked('catalogue')).toHaveLength(2);
  });

  it('that do not exist are asked for again', async () => {
    const { ask, told } = await aCachedGraph();
    expect((await ask(TITLES, { ids: ['new'] })).data).toEqual({ favourites: [{ id: 'new', title: null }] });
    told.titles['new'] = 'New';
    expect((await ask(TITLES, { ids: ['new'] })).data).toEqual(titled(['new', 'New']));
  });

  it('are fetched anew after a mutation that declares to change them, and by no other', async () => {
    const { ask, asked } = await aCachedGraph();
    await ask(TITLES, { ids: ['a'] });
    await ask('mutation { touch }');
    expect((await ask(TITLES, { ids: ['a'] })).cached).toBe(1);
    await ask('mutation { rename(id: "a", title: "Omega") }', {}, { ...NOBODY, tenantId: 'other' });
    expect((await ask(TITLES, { ids: ['a'] })).cached).toBe(1);
    await ask('mutation { rename(id: "a", title: "Omega") }');
    expect((await ask(TITLES, { ids: ['a'] })).data).toEqual(titled(['a', 'Omega']));
    expect(asked('catalogue')).toHaveLength(5);
  });

  it('are used beyond their age while the subgraph is down, where that is declared', async () => {
    const { ask, told } = await aCachedGraph();
    const priced = '{ favourites(ids: ["a"]) { listPrice { amount } } }';
    await ask(TITLES, { ids: ['a'] });
    await ask(priced);
    told.clockMs += 61_000;
    told.down.add('catalogue');
    const { data, errors, cached } = await ask(TITLES, { ids: ['a', 'b'] });
    expect(data).toEqual({
      favourites: [
        { id: 'a', title: 'Alpha' },
        { id: 'b', title: null },
      ],
    });
    expect(errors?.map(({ path, extensions }) => [path, extensions['code']])).toEqual([
      [['favourites', 1], 'SUBGRAPH_ANSWER_INVALID'],
    ]);
    expect(cached).toBe(1);
    expect((await ask(TITLES, { ids: ['a'] })).errors).toBeUndefined();
    expect((await ask(priced)).data).toEqual({ favourites: [{ listPrice: null }] });
    told.clockMs += 600_000;
    expect((await ask(TITLES, { ids: ['a'] })).data).toEqual({ favourites: [{ id: 'a', title: null }] });
  });
});

describe('whole answers', () => {
  const PAGE = '{ products { nodes { id title } } }';
  it('are kept when the root field and all of the answer are declared', async () => {
    const { ask, asked } = await aCachedGraph();
    const first = await ask(PAGE);
    const second = await ask(PAGE);
    expect(second).toEqual({ ...first, cached: 1 });
    expect(asked('catalogue')).toHaveLength(1);
    await ask('mutation { rename(id: "a", title: "Omega") }');
    expect(JSON.stringify((await ask(PAGE)).data)).toContain('Omega');
  });

  it('are not kept for a root field that is not declared', async () => {
    const { ask } = await aCachedGraph();
    await ask('{ product(id: "a") { title } }');
    expect((await ask('{ product(id: "a") { title } }')).cached).toBe(0);
  });

  it('stand in for a subgraph that is down, not beyond what is declared', async () => {
    const { ask, told } = await aCachedGraph();
    const { data } = await ask(PAGE);
    told.down.add('catalogue');
    told.clockMs += 30_000 + 599_999;
    expect(await ask(PAGE)).toEqual({ data, cached: 1 });
    told.clockMs += 1;
    expect((await ask(PAGE)).errors?.[0]?.extensions['code']).toBe('SUBGRAPH_ANSWER_INVALID');
  });
});

describe('what a person allowed', () => {
  it('is part of the key: a withdrawn consent is seen at once', async () => {
    const { ask, told, asked } = await aCachedGraph();
    const query = '{ customer(id: "1") { greeting } }';
    await ask(query);
    expect((await ask(query)).data).toEqual({ customer: { greeting: 'as of 1' } });
    expect(asked('letters')).toHaveLength(1);
    told.consentVersion = '2';
    expect((await ask(query)).data).toEqual({ customer: { greeting: 'as of 2' } });
    expect(asked('letters')).toHaveLength(2);
  });

  it('must be part of the key: a declaration without it is refused at the start', () => {
    const letters = LETTERS.replace('@requires(fields: "consentVersion")', '').replace(
      'consentVersion: String! @external',
      '',
    );
    const sdl = composed({ ...SERVICES, letters });
    expect(() => readCacheRules(parse(sdl))).toThrow('@cacheable on Customer.greeting: it is about a person');
  });
});

describe('declarations that are refused', () => {
  it.each([
    [
      'a decision',
      'type Score implements Decision { id: ID! } interface Decision { id: ID! } type Query { s: Score @cacheable(maxAgeSeconds: 1) }',
      'it holds a Decision',
    ],
    [
      'a decision inside',
      'type Score implements Decision { id: ID! } interface Decision { id: ID! } type Box { s: [Score] } type Query { b: Box @cacheable(maxAgeSeconds: 1) }',
      'it holds a Decision',
    ],
    [
      'a mutation',
      'type Query { a: Int } type Mutation { m: Int @cacheable(maxAgeSeconds: 1) }',
      'only what queries read',
    ],
    ['no time at all', 'type Query { a: Int @cacheable(maxAgeSeconds: 0) }', 'whole numbers'],
    ['more than a day', 'type Query { a: Int @cacheable(maxAgeSeconds: 86401) }', 'at most 86400'],
    [
      'an unknown type',
      'type Query { a: Int } type Mutation { m: Int @invalidates(types: ["Nothing"]) }',
      'there is no type Nothing',
    ],
  ])('%s', (_, typeDefs, reason) => {
    const sdl = composed({ one: `${DIRECTIVES} ${typeDefs}` });
    expect(() => readCacheRules(parse(sdl))).toThrow(reason);
  });
});

describe('AnswerCache', () => {
  const policy = { maxAgeMs: 1_000, staleIfErrorMs: 0 };
  it('stays within its bound, the least recently used go first', () => {
    const cache = new AnswerCache({ maxBytes: 20_000, now: () => 0 });
    const put = (key: string) => cache.put(key, 'x'.repeat(500), { generation: '0.0', policy });
    for (let i = 0; i < 100; i += 1) {
      put(`key ${i}`);
      cache.get('key 0', '0.0');
      expect(cache.bytes).toBeLessThanOrEqual(20_000);
    }
    expect(cache.get('key 0', '0.0')).not.toBeNull();
    expect(cache.get('key 99', '0.0')).not.toBeNull();
    expect(cache.get('key 1', '0.0')).toBeNull();
  });

  it('does not take what was fetched before a change for something new', () => {
    const cache = new AnswerCache({ maxBytes: 20_000, now: () => 0 });
    const before = cache.generationOf('demo', ['Product']);
    cache.invalidate('demo', ['Product']);
    cache.put('key', 'old', { generation: before, policy });
    expect(cache.get('key', cache.generationOf('demo', ['Product']))).toBeNull();
  });
});
