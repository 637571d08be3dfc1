import { createHash } from 'node:crypto';
import { AuditChains, verifyChain } from '@sextant/audit';
import { startMongoServer, startTestMongo, type TestMongo } from '@sextant/testing';
import { createClient } from 'graphql-ws';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aGateway, type Answer, ask } from '../test-gateway.js';

const SECRET = 'what links the log has forty letters or so';
let mongo: TestMongo;
let client: MongoClient;
let running: Awaited<ReturnType<typeof aGateway>>;
let other: Awaited<ReturnType<typeof aGateway>>;

beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  const env = {
    SEXTANT_AUDIT: 'on',
    SEXTANT_AUDIT_SECRET: SECRET,
    MONGODB_URI: mongo.uri,
    SEXTANT_BATCH_LIMIT: '5',
  };
  [running, other] = await Promise.all([aGateway(env), aGateway(env)]);
});
afterAll(async () => {
  await Promise.all([running?.stop(), other?.stop()]);
  await client?.close();
  await mongo?.stop();
});

const INGEST = 'mutation Ingest($e:[EventInput!]!){ ingestEvents(events:$e) }';
const anEvent = (id: string) => ({
  id,
  type: 'page_visit',
  at: '2026-01-01T00:00:00Z',
  customerRef: 'ada@x.org',
});

async function mutate(
  query: string,
  {
    variables = {},
    claims = {},
    at = running,
  }: { variables?: object; claims?: object; at?: typeof running } = {},
): Promise<Answer> {
  const headers = { authorization: `Bearer ${await at.token({ ...claims })}`, 'x-request-id': 'req-1' };
  return ask(at.gateway.url, { query, variables }, headers);
}

/** Until the log of a tenant has as many mutations, and all of them an outcome where they should. */
async function listed(tenantId: string, count: number, isFinished = true) {
  const chains = new AuditChains(client.db());
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await chains.list(tenantId, { before: null, first: 200 });
    const ends = found.filter(({ entry, outcome }) => entry.kind === 'REFUSAL' || outcome);
    if (found.length >= count && (!isFinished || ends.length >= count)) return found;
    if (Date.now() > deadline) throw new Error(`still ${found.length} entries: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const verdictOf = (tenantId: string) =>
  verifyChain(new AuditChains(client.db()), tenantId, { secrets: [SECRET] });

describe('the audit log of mutations', () => {
  it('keeps who did what with which outcome, and no personal data', async () => {
    const claims = { tenant: 'kept', azp: 'crm' };
    await mutate(INGEST, { variables: { e: [anEvent('e1')] }, claims });
    const [record] = await listed('kept', 1);
    expect(record?.entry).toMatchObject({
      kind: 'INTENT',
      seq: 1,
      what: {
        ...{
          requestId: 'req-1',
          subject: 'user-1',
          clientId: 'crm',
          roles: ['analyst'],
          operation: 'Ingest',
        },
        operationHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        fields: [
          { name: 'ingestEvents', argumentsDigest: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
        ],
      },
    });
    expect(record?.outcome?.what).toEqual({ of: 1, outcome: 'OK', codes: [] });
    expect(JSON.stringify(await client.db().collection('audit_log').find().toArray())).not.toContain(
      'ada@x.org',
    );
    expect(await verdictOf('kept')).toMatchObject({ entries: 2, broken: null });
  });

  it('keeps none of queries', async () => {
    await mutate('{ whoami }', { claims: { tenant: 'queries' } });
    expect(await new AuditChains(client.db()).list('queries', { before: null, first: 10 })).toEqual([]);
  });

  it('keeps a forbidden mutation once a minute', async () => {
    const claims = { tenant: 'forbidden', scope: '' };
    for (let i = 0; i < 3; i += 1)
      expect((await mutate('mutation { ingestEvents(events: []) }', { claims })).status).toBe(403);
    const found = await listed('forbidden', 1);
    expect(found.map(({ entry }) => entry)).toMatchObject([
      {
        kind: 'REFUSAL',
        what: {
          ...{ subject: 'user-1', codes: ['FORBIDDEN'] },
          fields: [
            { name: 'ingestEvents', argumentsDigest: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
          ],
        },
      },
    ]);
  });

  it('keeps a mutation whichever way it came', async () => {
    const claims = { tenant: 'ways' };
    const authorization = `Bearer ${await running.token(claims)}`;
    const way = (name: string) => `mutation ${name} { ingestEvents(events: []) }`;
    const { url } = running.gateway;
    await ask(url, [{ query: way('Batch1') }, { query: way('Batch2') }], { authorization });
    const query = way('ByHash');
    const sha256Hash = createHash('sha256').update(query).digest('hex');
    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    await ask(
      url,
      { query: `${way('Named')} query Other { whoami }`, operationName: 'Named' },
      { authorization },
    );
    await ask(url, { query, extensions }, { authorization });
    await ask(url, { extensions }, { authorization });
    const headers = { authorization, accept: 'text/event-stream', 'content-type': 'application/json' };
    const stream = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: way('Stream') }),
    });
    expect(await stream.text()).toContain('"ingestEvents":0');
    const sockets = createClient({
      ...{ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { authorization } },
    });
    for await (const { data } of sockets.iterate({ query: way('Socket') }))
      expect(data).toEqual({ ingestEvents: 0 });
    await sockets.dispose();
    const found = await listed('ways', 7);
    const names = found.map(({ entry }) => entry.kind === 'INTENT' && entry.what.operation);
    expect(names.sort()).toEqual(['Batch1', 'Batch2', 'ByHash', 'ByHash', 'Named', 'Socket', 'Stream']);
    const before = running.subgraphs.customer.requests.length;
    const search = new URLSearchParams({ query: way('Get') });
    expect((await fetch(`${url}?${search}`, { headers: { authorization } })).status).toBe(405);
    expect(running.subgraphs.customer.requests.length).toBe(before);
  });

  it('keeps every field of a mutation, however many there are', async () => {
    const fields = Array.from({ length: 70 }, (_, i) => `m${i}: ingestEvents(events: [])`);
    const { errors } = await mutate(`mutation { ${fields.join(' ')} }`, { claims: { tenant: 'many' } });
    expect(errors).toBeUndefined();
    const [record] = await listed('many', 1);
    expect(record?.entry.kind === 'INTENT' && record.entry.what.fields.length).toBe(70);
  });

  it('is one chain for two gateways', async () => {
    const claims = { tenant: 'both' };
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        mutate(INGEST, { variables: { e: [anEvent(`e${i}`)] }, claims, at: i % 2 ? running : other }),
      ),
    );
    await listed('both', 40);
    expect(await verdictOf('both')).toMatchObject({ entries: 80, broken: null });
  });

  it('shows a mutation whose end nobody saw as unfinished', async () => {
    const claims = { tenant: 'hanging' };
    const hanging = mutate(INGEST, { variables: { e: [anEvent('hang')] }, claims });
    const [record] = await listed('hanging', 1, false);
    expect(record?.outcome).toBeNull();
    expect((await hanging).errors?.[0]?.extensions.code).toBe('SUBGRAPH_DEADLINE_EXCEEDED');
    const [finished] = await listed('hanging', 1);
    expect(finished?.outcome?.what).toMatchObject({
      outcome: 'FAILED',
      codes: ['SUBGRAPH_DEADLINE_EXCEEDED'],
    });
  }, 20_000);
});

describe('without a store', () => {
  it('no mutation runs, queries are answered, and it recovers by itself', async () => {
    const server = await startMongoServer();
    const uri = server.uri.replace('/?', '/audit?');
    const alone = await aGateway({
      ...{ SEXTANT_AUDIT: 'on', SEXTANT_AUDIT_SECRET: SECRET, MONGODB_URI: uri, MONGODB_TIMEOUT_MS: '500' },
    });
    const run = () => mutate(INGEST, { variables: { e: [anEvent('e')] }, at: alone });
    expect((await run()).data).toEqual({ ingestEvents: 1 });
    process.kill(server.pid, 'SIGSTOP');
    const before = alone.subgraphs.customer.requests.length;
    const refused = await run();
    expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['STORE_UNAVAILABLE']);
    expect(refused.data ?? null).toBeNull();
    expect(alone.subgraphs.customer.requests.length).toBe(before);
    expect((await mutate('{ whoami }', { at: alone })).data).toEqual({ whoami: 'user-1@demo' });
    process.kill(server.pid, 'SIGCONT');
    const deadline = Date.now() + 15_000;
    while ((await run()).errors) expect(Date.now()).toBeLessThan(deadline);
    await alone.stop();
    await server.stop();
  }, 30_000);

  it('a gateway does not start, unless it is told to serve without a log', async () => {
    await expect(aGateway({ SEXTANT_AUDIT: 'on' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
