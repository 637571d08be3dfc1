import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, type Answer, ask } from './test-gateway.js';

let running: Awaited<ReturnType<typeof aGateway>>;
beforeAll(async () => {
  running = await aGateway({
    SEXTANT_UPSTREAM_TIMEOUT_MS: '1500',
    SEXTANT_CORS_ORIGINS: 'http://localhost:3000',
  });
});
afterAll(() => running.stop());

async function query(
  text: string,
  { claims = {}, variables = {} }: { claims?: object; variables?: object } = {},
): Promise<Answer> {
  const token = await running.token({ ...claims });
  return ask(running.gateway.url, { query: text, variables }, { authorization: `Bearer ${token}` });
}

const codesOf = ({ errors }: Answer) => errors?.map(({ extensions }) => extensions.code);

describe('the gateway', () => {
  it('joins entities across subgraphs', async () => {
    const { data, errors } = await query('query($id:ID!){ customer(id:$id){ id name score } }', {
      variables: { id: '7' },
    });
    expect(errors).toBeUndefined();
    expect(data).toEqual({ customer: { id: '7', name: 'Customer 7', score: 0.5 } });
  });

  it('passes its request id on and hands it back', async () => {
    const token = await running.token();
    const { headers } = await ask(
      running.gateway.url,
      { query: '{ customer(id:"1"){ id } }' },
      { authorization: `Bearer ${token}`, 'x-request-id': 'abc-123' },
    );
    expect(headers.get('x-request-id')).toBe('abc-123');
    expect(running.subgraphs.customer.requests.at(-1)?.requestId).toBe('abc-123');
  });

  it('hands the trace context of a client on, and no other text in its place', async () => {
    const token = await running.token();
    const send = async (traceparent: string): Promise<string | undefined> => {
      const headers = { authorization: `Bearer ${token}`, traceparent };
      await ask(running.gateway.url, { query: '{ customer(id:"1"){ id } }' }, headers);
      return running.subgraphs.customer.requests.at(-1)?.traceparent;
    };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(await send(traceparent)).toBe(traceparent);
    expect(await send('a secret')).toBeUndefined();
  });

  it('never shares an answer between identities that ask the same at the same time', async () => {
    const before = running.subgraphs.customer.requests.length;
    const people = Array.from({ length: 10 }, (_, i) => ({
      sub: `user-${i}`,
      tenant: i % 2 ? 'one' : 'two',
    }));
    const answers = await Promise.all(people.map((claims) => query('{ whoami }', { claims })));
    expect(answers.map(({ data }) => data?.['whoami'])).toEqual(
      people.map(({ sub, tenant }) => `${sub}@${tenant}`),
    );
    expect(running.subgraphs.customer.requests.length - before).toBe(10);
  });

  it('takes the tenant from the token only', async () => {
    const token = await running.token();
    const extensions = {
      headers: { 'x-sextant-identity': 'x' },
      endpoint: 'http://127.0.0.1:1/',
      tenant: 'other',
    };
    const spoofed = {
      authorization: `Bearer ${token}`,
      'x-sextant-identity': Buffer.from('{"tenantId":"other"}').toString('base64url'),
      'x-tenant': 'other',
    };
    const { data } = await ask(running.gateway.url, { query: '{ whoami }', extensions }, spoofed);
    expect(data).toEqual({ whoami: 'user-1@demo' });
  });

  it('is ready on the metrics port only, and counts operations there', async () => {
    await query('query Named { whoami }');
    const ready = await fetch(running.gateway.metricsUrl.replace('/metrics', '/health/ready'));
    expect(await ready.json()).toEqual({ status: 'ready', checks: { keys: true, subgraphs: true } });
    expect(await (await fetch(running.gateway.metricsUrl)).text()).toContain(
      'sextant_gateway_operations_total{type="query",operation="Named",outcome="ok"} 1',
    );
    const publicly = await fetch(running.gateway.url.replace('/graphql', '/metrics'));
    expect(publicly.status).toBe(404);
  });
});

describe('errors', () => {
  it('keep their code and message when they are intended, and nothing else', async () => {
    const answer = await query('{ product(id:"none"){ id } }');
    expect(answer.data).toEqual({ product: null });
    expect(answer.errors?.map(({ message, path, extensions }) => ({ message, path, extensions }))).toEqual([
      { message: 'no product none', path: ['product'], extensions: { code: 'PRODUCT_NOT_FOUND' } },
    ]);
  });

  it('are hidden when they are not', async () => {
    const answer = await query('{ broken whoami }');
    expect(answer.data).toEqual({ broken: null, whoami: 'user-1@demo' });
    expect(codesOf(answer)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });

  it('name bad variables, unknown fields and broken documents as the client’s', async () => {
    expect(
      codesOf(await query('query($id:ID!){ customer(id:$id){ id } }', { variables: { id: { a: 1 } } })),
    ).toEqual(['BAD_USER_INPUT']);
    expect(codesOf(await query('{ nothing }'))).toEqual(['GRAPHQL_VALIDATION_FAILED']);
    expect(codesOf(await query('{'))).toEqual(['GRAPHQL_PARSE_FAILED']);
  });

  it('tell that a subgraph is slow, and cost only its fields', async () => {
    const answer = await query('{ slow product(id:"1"){ title } }');
    expect(answer.data).toEqual({ slow: null, product: { title: 'Product 1' } });
    expect(codesOf(answer)).toEqual(['SUBGRAPH_DEADLINE_EXCEEDED']);
  });
});

describe('a large batch', () => {
  const ingest = 'mutation($e:[EventInput!]!){ ingestEvents(events:$e) }';
  const event = (i: number) => ({
    id: `e${i}`,
    type: 'page_visit',
    at: '2026-01-01T00:00:00Z',
    properties: { channel: 'mail', nested: [{ a: i }] },
  });

  it('of 2,000 events arrives unchanged', async () => {
    const events = Array.from({ length: 2_000 }, (_, i) => event(i));
    expect((await query(ingest, { variables: { e: events } })).data).toEqual({ ingestEvents: 2_000 });
    const received = JSON.parse(running.subgraphs.customer.requests.at(-1)?.body ?? '') as {
      variables: { e: unknown };
    };
    expect(received.variables.e).toEqual(events);
  });

  it('that does not fit its type at all is refused in few words', async () => {
    const answer = await query(ingest, {
      variables: { e: Array.from({ length: 2_000 }, (_, i) => ({ ...event(i), id: {} })) },
    });
    expect(new Set(codesOf(answer))).toEqual(new Set(['BAD_USER_INPUT']));
    expect(answer.errors?.length).toBeLessThanOrEqual(21);
  });

  it('is refused as a whole when its subgraph is not there, without a second try', async () => {
    const before = running.subgraphs.customer.requests.length;
    const answer = await query(ingest, { variables: { e: [{ ...event(1), id: 'hang' }] } });
    expect([answer.data ?? { ingestEvents: null }, codesOf(answer)]).toEqual([
      { ingestEvents: null },
      ['SUBGRAPH_DEADLINE_EXCEEDED'],
    ]);
    expect(running.subgraphs.customer.requests.length - before).toBe(1);
  });
});

describe('limits', () => {
  it('refuse @defer instead of ignoring it', async () => {
    expect(codesOf(await query('{ ... @defer { whoami } }'))).toContain('DEFER_UNSUPPORTED');
  });

  it('allow 15 levels and refuse 16, also through fragments', async () => {
    const nested = (levels: number) =>
      `{ customer(id:"1") { ${'friend { '.repeat(levels - 2)} id ${'}'.repeat(levels - 2)} } }`;
    expect((await query(nested(15))).errors).toBeUndefined();
    expect(codesOf(await query(nested(16)))).toEqual(['QUERY_TOO_DEEP']);
    const inFragment = `${nested(10).replace(' id ', ' ...Deep ')} fragment Deep on Customer { ${'friend { '.repeat(12)} id ${'}'.repeat(12)} }`;
    expect(codesOf(await query(inFragment))).toEqual(['QUERY_TOO_DEEP']);
  });

  it('refuse batches, other methods, other content types and what is no JSON', async () => {
    const authorization = `Bearer ${await running.token()}`;
    const { url } = running.gateway;
    expect((await ask(url, [{ query: '{ whoami }' }], { authorization })).status).toBe(400);
    expect((await ask(url, '{', { authorization })).status).toBe(400);
    expect((await ask(url, '{}', { authorization })).status).toBe(400);
    expect(
      (await ask(url, { query: '{ whoami }' }, { authorization, 'content-type': 'text/plain' })).status,
    ).toBe(415);
    expect((await fetch(url, { method: 'PUT', headers: { authorization } })).status).toBe(405);
  });

  it('refuse a body over 16 MiB and a query over 100,000 characters', async () => {
    const authorization = `Bearer ${await running.token()}`;
    const large = await ask(
      running.gateway.url,
      { query: `{ whoami } #${'x'.repeat(100_000)}` },
      { authorization },
    );
    expect([large.status, codesOf(large)]).toEqual([413, ['REQUEST_TOO_LARGE']]);
    const larger = ask(
      running.gateway.url,
      { query: '{ whoami }', variables: { x: 'x'.repeat(17 * 1024 * 1024) } },
      { authorization },
    );
    await expect(
      larger.then(
        ({ status }) => status,
        () => 413,
      ),
    ).resolves.toBe(413);
  });

  it('let only configured origins read answers', async () => {
    const preflight = (origin: string) =>
      fetch(running.gateway.url, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    expect((await preflight('http://localhost:3000')).headers.get('access-control-allow-origin')).toBe(
      'http://localhost:3000',
    );
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a dead subgraph', () => {
  it('costs its fields under one code, and the rest is served', async () => {
    await running.subgraphs.prediction.stop();
    const answer = await query('{ customer(id:"1"){ name score } product(id:"1"){ title } }');
    expect(answer.data).toEqual({
      customer: { name: 'Customer 1', score: null },
      product: { title: 'Product 1' },
    });
    expect(codesOf(answer)).toEqual(['SUBGRAPH_UNAVAILABLE']);
    expect(JSON.stringify(answer)).not.toContain('127.0.0.1');
    const ready = await fetch(running.gateway.metricsUrl.replace('/metrics', '/health/ready'));
    expect(ready.status).toBe(200);
  });
});
