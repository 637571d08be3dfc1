import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { startMongoServer, startTestMongo, type TestMongo } from '@sextant/testing';
import { graphql, parse } from 'graphql';
import { MongoClient } from 'mongodb';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { aGateway, ask, composeTiny, TYPE_DEFS } from '../test-gateway.js';
import { AnswerCache } from './answer-cache.js';
import { CacheMetrics } from './cache-metrics.js';
import { InvalidationLog } from './invalidation-log.js';
import { InvalidationSpread } from './invalidation-spread.js';

const CATALOGUE = `
  directive @cacheable(maxAgeSeconds: Int!, staleIfErrorSeconds: Int) on FIELD_DEFINITION
  directive @invalidates(types: [String!]!) on FIELD_DEFINITION
  extend schema
    @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes", "@composeDirective"])
    @link(url: "https://sextant.invalid/cache/v0.1", import: ["@cacheable", "@invalidates"])
    @composeDirective(name: "@cacheable")
    @composeDirective(name: "@invalidates")
  type Product @key(fields: "id") { id: ID! title: String @cacheable(maxAgeSeconds: 3600) }
  type Query { product(id: ID!): Product @requiresScopes(scopes: [["catalogue:read"]]) @cacheable(maxAgeSeconds: 3600) }
  type Mutation {
    rename(title: String!): Boolean @requiresScopes(scopes: [["catalogue:read"]]) @invalidates(types: ["Product"])
  }`;

const ended: (() => unknown)[] = [];
let mongo: TestMongo;
let client: MongoClient;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
});
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

/** A catalogue of one product whose title can be changed. */
async function aCatalogue(): Promise<string> {
  let title = 'Alpha';
  const schema = buildSubgraphSchema([
    {
      typeDefs: parse(CATALOGUE),
      resolvers: {
        Product: { title: () => title },
        Query: { product: (_: unknown, reference: { id: string }) => reference },
        Mutation: { rename: (_: unknown, given: { title: string }) => Boolean((title = given.title)) },
      } as never,
    },
  ]);
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        query: string;
        variables?: Record<string, unknown>;
      };
      void graphql({ schema, source: body.query, variableValues: body.variables }).then((result) =>
        response.end(JSON.stringify(result)),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ended.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

/** Gateways over one catalogue and one store. */
async function gateways(uri: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-spread-'));
  ended.push(() => rmSync(folder, { recursive: true }));
  const SUPERGRAPH_PATH = join(folder, 'cacheable.graphql');
  writeFileSync(SUPERGRAPH_PATH, composeTiny({ ...TYPE_DEFS, campaign: CATALOGUE }));
  const env = { SUPERGRAPH_PATH, CAMPAIGN_URL: await aCatalogue(), MONGODB_URI: uri };
  const start = async () => {
    const running = await aGateway({ ...env, MONGODB_TIMEOUT_MS: '1000' });
    ended.push(() => running.stop());
    const authorization = `Bearer ${await running.token()}`;
    return {
      ask: (query: string) => ask(running.gateway.url, { query }, { authorization }),
      title: async () => {
        const { data } = await ask(
          running.gateway.url,
          { query: '{ product(id: "a") { title } }' },
          { authorization },
        );
        return (data?.['product'] as { title: string } | null)?.title;
      },
      metric: async (name: string) => {
        const text = await (await fetch(running.gateway.metricsUrl)).text();
        const values = text.split('\n').filter((line) => line.startsWith(name));
        return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
      },
    };
  };
  return Promise.all([start(), start()]);
}

const eventually = (check: () => Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 15_000, interval: 20 });

const HEARS = 'sextant_gateway_cache_hears_others';
const FAILURES = 'sextant_gateway_cache_spread_failures_total';

describe('what a mutation changes', () => {
  it('is fetched anew at every gateway, not only at the one that ran it', async () => {
    const [one, two] = await gateways(mongo.uri);
    await eventually(async () => expect([await one.metric(HEARS), await two.metric(HEARS)]).toEqual([1, 1]));
    expect([await one.title(), await two.title()]).toEqual(['Alpha', 'Alpha']);
    await one.ask('mutation { rename(title: "Omega") }');
    expect(await one.title()).toBe('Omega');
    await eventually(async () => expect(await two.title()).toBe('Omega'));
    expect(await two.metric('sextant_gateway_cache_invalidations_heard_total')).toBe(1);
    expect(await one.metric('sextant_gateway_cache_invalidations_heard_total')).toBe(0);
  }, 20_000);

  it('is served by age while the store is away, which is counted, and anew when it is back', async () => {
    const server = await startMongoServer();
    ended.push(() => server.stop());
    const [one, two] = await gateways(server.uri.replace('/?', '/spread?'));
    await eventually(async () => expect(await two.metric(HEARS)).toBe(1));
    expect(await two.title()).toBe('Alpha');
    process.kill(server.pid, 'SIGSTOP');
    await one.ask('mutation { rename(title: "Omega") }');
    expect([await one.title(), await two.title()]).toEqual(['Omega', 'Alpha']);
    await eventually(async () => expect(await two.metric(HEARS)).toBe(0));
    await eventually(async () => expect(await one.metric(FAILURES)).toBeGreaterThan(1));
    expect(await two.title()).toBe('Alpha');
    process.kill(server.pid, 'SIGCONT');
    await eventually(async () => expect(await two.title()).toBe('Omega'));
    await eventually(async () => expect(await two.metric(HEARS)).toBe(1));
  }, 30_000);
});

describe('InvalidationSpread', () => {
  function aSpread() {
    const registry = new Registry();
    const cache = new AnswerCache({ maxBytes: 100_000, now: () => 0 });
    const metrics = new CacheMetrics(registry, cache);
    const log = new InvalidationLog(client.db(), { awaitMs: 200 });
    const spread = new InvalidationSpread({ log, cache, metrics, onProblem: () => undefined });
    spread.start();
    ended.push(() => spread.close());
    const count = async (name: string) =>
      (await registry.getSingleMetric(name)?.get())?.values[0]?.value ?? 0;
    const isHearing = () => eventually(async () => expect(await count(HEARS)).toBe(1));
    return { spread, cache, count, isHearing };
  }

  it('forgets what was kept before it could hear, and only what others tell after that', async () => {
    const one = aSpread();
    await one.isHearing();
    one.spread.tell('demo', ['Product']);
    const two = aSpread();
    two.cache.put('key', '{}', {
      generation: two.cache.generationOf('demo', ['Product']),
      policy: { maxAgeMs: 1_000, staleIfErrorMs: 0 },
    });
    await two.isHearing();
    expect(two.cache.count).toBe(0);
    const others = two.cache.generationOf('other', ['Product']);
    const before = two.cache.generationOf('demo', ['Product']);
    const own = one.cache.generationOf('demo', ['Product']);
    one.spread.tell('demo', ['Product', 'Offer']);
    await eventually(() =>
      Promise.resolve(expect(two.cache.generationOf('demo', ['Product'])).not.toBe(before)),
    );
    expect(two.cache.generationOf('other', ['Product'])).toBe(others);
    expect(one.cache.generationOf('demo', ['Product'])).toBe(own);
  });

  it('tells everything, however fast it comes, in a collection that stays small', async () => {
    const [one, two] = [aSpread(), aSpread()];
    await Promise.all([one.isHearing(), two.isHearing()]);
    const tenants = Array.from({ length: 3_000 }, (_, i) => `tenant-${i}`);
    const before = tenants.map((tenant) => two.cache.generationOf(tenant, ['Product']));
    for (let round = 0; round < 5; round += 1)
      for (const tenant of tenants) one.spread.tell(tenant, ['Product']);
    await eventually(() =>
      Promise.resolve(
        expect(
          tenants.filter((tenant, i) => two.cache.generationOf(tenant, ['Product']) === before[i]),
        ).toEqual([]),
      ),
    );
    const [{ capped, size } = { capped: false, size: Infinity }] = await client
      .db()
      .collection('cache_invalidations')
      .aggregate<{ capped: boolean; size: number }>([
        { $collStats: { storageStats: {} } },
        { $project: { capped: '$storageStats.capped', size: '$storageStats.size' } },
      ])
      .toArray();
    expect(capped).toBe(true);
    expect(size).toBeLessThanOrEqual(1024 * 1024);
  }, 20_000);

  it('tells what waits when it is closed', async () => {
    const [one, two] = [aSpread(), aSpread()];
    await Promise.all([one.isHearing(), two.isHearing()]);
    const before = two.cache.generationOf('last', ['Product']);
    one.spread.tell('last', ['Product']);
    await one.spread.close();
    await eventually(() =>
      Promise.resolve(expect(two.cache.generationOf('last', ['Product'])).not.toBe(before)),
    );
  });
});
