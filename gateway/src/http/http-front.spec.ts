import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aGateway, ask } from '../test-gateway.js';
import { rawConnection, until } from './test-socket.js';

const NEW = 'application/graphql-response+json';
let running: Awaited<ReturnType<typeof aGateway>>;
let authorization: string;
beforeAll(async () => {
  running = await aGateway({ SEXTANT_BATCH_LIMIT: '3', SEXTANT_CORS_ORIGINS: 'http://localhost:3000' });
  authorization = `Bearer ${await running.token()}`;
});
afterAll(() => running.stop());

const send = (init: RequestInit & { search?: string; path?: string } = {}) => {
  const url = new URL(init.path ?? '/graphql', running.gateway.url);
  return fetch(url.href + (init.search ?? ''), {
    ...init,
    headers: { authorization, ...(init.headers as Record<string, string>) },
  });
};
const post = (body: string | Buffer<ArrayBuffer>, headers: Record<string, string> = {}) =>
  send({ method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
const refusal = async (response: Response) => {
  const { data, errors } = (await response.json()) as {
    data?: unknown;
    errors: { message: string; extensions: { code: string } }[];
  };
  expect(data).toBeUndefined();
  return [response.status, errors[0]?.extensions.code];
};

describe('GET', () => {
  it('answers a query with variables and an operation name', async () => {
    const search = new URLSearchParams({
      query: 'query A { __typename } query B($id: ID!) { customer(id: $id) { id } }',
      operationName: 'B',
      variables: '{"id":"7"}',
    });
    const response = await send({ search: `?${search}` });
    expect(await response.json()).toMatchObject({ data: { customer: { id: '7' } } });
    expect(response.headers.get('cache-control')).toContain('no-store');
  });

  it('never runs a mutation, and says how', async () => {
    const before = running.subgraphs.customer.requests.length;
    const response = await send({ search: '?query=mutation{ingestEvents(events:[])}' });
    expect(response.headers.get('allow')).toBe('POST');
    expect(await refusal(response)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(running.subgraphs.customer.requests.length).toBe(before);
  });

  it.each([
    ['', 400],
    ['?query={whoami}&query={whoami}', 400],
    ['?query={whoami}&variables=nothing', 400],
    ['?query={whoami}&variables=[1]', 400],
    [`?query={whoami}&x=${'x'.repeat(9_000)}`, 414],
  ])('%s is refused with %i', async (search, status) => {
    const response = await send({ search });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('is refused where any page could have sent it', async () => {
    const forged = (init: RequestInit) => fetch(`${running.gateway.url}?query={whoami}`, init);
    expect(await refusal(await forged({}))).toEqual([400, 'CSRF_REFUSED']);
    const form = { method: 'POST', body: new URLSearchParams({ query: '{whoami}' }) };
    expect(await refusal(await forged(form))).toEqual([400, 'CSRF_REFUSED']);
    expect(await refusal(await forged({ method: 'POST', body: '{"query":"{whoami}"}' }))).toEqual([
      400,
      'CSRF_REFUSED',
    ]);
    expect((await forged({ headers: { 'apollo-require-preflight': '1' } })).status).toBe(401);
  });
});

describe('POST', () => {
  it.each([
    ['{"query":"{whoami}","query":"{broken}"}', {}, 400, 'BAD_REQUEST'],
    ['{"query":"{whoami}"', {}, 400, 'BAD_REQUEST'],
    ['null', {}, 400, 'BAD_REQUEST'],
    ['', {}, 400, 'BAD_REQUEST'],
    ['{"query":{}}', {}, 400, 'BAD_REQUEST'],
    ['{"query":"{whoami}","variables":[]}', {}, 400, 'BAD_REQUEST'],
    ['{}', { 'content-type': 'application/json; charset=latin1' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { 'content-type': 'application/jsonp' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { 'content-type': 'application/graphql' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{}', { 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['{"query":"{whoami}"}', { accept: 'text/html' }, 406, 'NOT_ACCEPTABLE'],
    ['{"query":"{whoami}"}', { 'x-deadline-ms': 'soon' }, 400, 'BAD_REQUEST'],
  ])('of %s with %j is refused with %i %s', async (body, headers, status, code) => {
    expect(await refusal(await post(body, headers))).toEqual([status, code]);
  });

  it('takes UTF-8 and nothing that is not', async () => {
    const query = '{ product(id: "Grüße 🏊") { id } }';
    expect(await (await post(JSON.stringify({ query }))).json()).toMatchObject({
      data: { product: { id: 'Grüße 🏊' } },
    });
    const broken = Buffer.concat([
      Buffer.from('{"query":"{whoami} #'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    expect(await refusal(await post(broken))).toEqual([400, 'BAD_REQUEST']);
  });

  it('refuses uploads by a code of their own', async () => {
    const form = new FormData();
    form.set('operations', '{}');
    expect(await refusal(await send({ method: 'POST', body: form }))).toEqual([415, 'UPLOADS_UNSUPPORTED']);
  });

  it('has the status of a refused operation in the new media type, and 200 in the old', async () => {
    const statusOf = async (query: string, accept: string) =>
      (await post(JSON.stringify({ query }), { accept })).status;
    expect(await statusOf('{ nothing }', NEW)).toBe(400);
    expect(await statusOf('{ nothing }', 'application/json')).toBe(200);
    expect(await statusOf('{ broken whoami }', NEW)).toBe(200);
  });

  it('of another method is refused with the ones that are served', async () => {
    const response = await send({ method: 'DELETE' });
    expect(response.headers.get('allow')).toBe('GET, POST, OPTIONS');
    expect(await refusal(response)).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect((await send({ method: 'HEAD' })).status).toBe(405);
  });
});

describe('a batch', () => {
  const operations = (size: number) =>
    JSON.stringify(Array.from({ length: size }, () => ({ query: '{ whoami }' })));

  it('is answered in order, up to the cap', async () => {
    const batch = [
      { query: '{ whoami }' },
      { query: '{ nothing }' },
      { query: '{ product(id: "1") { id } }' },
    ];
    const answers = (await (await post(JSON.stringify(batch))).json()) as { data?: unknown }[];
    expect(answers.map(({ data }) => data)).toEqual([
      { whoami: 'user-1@demo' },
      undefined,
      { product: { id: '1' } },
    ]);
    expect(await refusal(await post(operations(4)))).toEqual([400, 'BATCHING_REFUSED']);
    expect(await refusal(await post('[]'))).toEqual([400, 'BATCHING_REFUSED']);
    expect(await refusal(await post('[[]]'))).toEqual([400, 'BAD_REQUEST']);
  });

  it('is never served to partners', async () => {
    const partner = await send({
      ...{ method: 'POST', path: '/partner/graphql', body: operations(1) },
      headers: { 'content-type': 'application/json' },
    });
    expect(await refusal(partner)).toEqual([400, 'BATCHING_REFUSED']);
  });
});

describe('a connection', () => {
  const head = () => `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`;
  const json = 'content-type: application/json\r\n';

  it('that speaks no HTTP, or two lengths at once, gets a coded answer and is closed', async () => {
    for (const text of [
      'HELO gateway\r\n\r\n',
      `${head()}${json}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`,
      `${head()}${json}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}`,
    ]) {
      const { socket, closed } = await rawConnection(running.gateway.url);
      socket.write(text);
      const answer = await closed;
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"code":"BAD_REQUEST"');
    }
  });

  it('with headers over 16 KiB gets 431', async () => {
    const { socket, closed } = await rawConnection(running.gateway.url);
    socket.write(`${head()}x-filler: ${'x'.repeat(20_000)}\r\n\r\n`);
    const answer = await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('"code":"REQUEST_TOO_LARGE"');
  });

  it('that goes within its request harms nobody', async () => {
    const { socket, closed } = await rawConnection(running.gateway.url);
    socket.write(`${head()}${json}content-length: 1000\r\n\r\n{"query":`);
    socket.destroy();
    await closed;
    expect((await post('{"query":"{ whoami }"}')).status).toBe(200);
  });

  it('is counted, and so are its requests, also the one that was left', async () => {
    const page = async (): Promise<string> => (await fetch(running.gateway.metricsUrl)).text();
    expect(await page()).toMatch(/sextant_gateway_http_responses_total\{status="405"\} [1-9]/);
    expect(await page()).toMatch(/sextant_gateway_http_responses_total\{status="aborted"\} [1-9]/);
    expect(await page()).toMatch(/^sextant_gateway_http_requests_in_flight 0$/m);
    expect(await page()).toMatch(/^sextant_gateway_http_connections [1-9]/m);
  });

  it('is kept for the next request', async () => {
    const { socket, received, closed } = await rawConnection(running.gateway.url);
    const body = '{"query":"{ __typename }"}';
    const request = `${head()}${json}content-length: ${body.length}\r\n\r\n${body}`;
    socket.write(request);
    await until('the first answer', () => received().includes('"Query"'));
    socket.write(request);
    await until('the second answer', () => received().split('"Query"').length === 3);
    socket.end();
    await closed;
  });
});

describe('a gateway that is told to stop', () => {
  it('answers what is in progress, says that the connection ends, and takes nothing new', async () => {
    const own = await aGateway();
    const token = `Bearer ${await own.token()}`;
    const { socket, closed } = await rawConnection(own.gateway.url);
    const body = '{"query":"{ whoami }"}';
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: ${token}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`,
    );
    socket.write(body);
    await until('the fetch', () => own.subgraphs.customer.requests.length > 0);
    const startedMs = performance.now();
    const stopped = own.stop();
    const answer = await closed;
    expect(answer).toContain('"whoami":"user-1@demo"');
    expect(answer).toMatch(/^connection: close\r$/im);
    await stopped;
    expect(performance.now() - startedMs).toBeLessThan(5_000); // SEXTANT_DRAIN_MS is 10,000
    await expect(ask(own.gateway.url, { query: '{ whoami }' }, { authorization: token })).rejects.toThrow();
  });
});
