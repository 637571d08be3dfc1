import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEventStream, aTickingGateway } from './test-ticker.js';

const TICKS = 'subscription($after: String) { ticks(after: $after) { cursor n } }';

let running: Awaited<ReturnType<typeof aTickingGateway>>;
let authorization: string;
beforeAll(async () => {
  running = await aTickingGateway();
  authorization = `Bearer ${await running.token()}`;
});
afterAll(() => running.stop());

const subscribe = (
  query = TICKS,
  { headers = {}, variables = {} }: { headers?: Record<string, string>; variables?: object } = {},
) => anEventStream(running.url, { query, variables }, { authorization, ...headers });

describe('a subscription over server-sent events', () => {
  it('begins with its cursor, tells each event with its own, and ends when the client leaves', async () => {
    const stream = await subscribe();
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const begun = await stream.next();
    expect(begun).toEqual({ id: expect.any(String) });
    expect(await running.metric('sextant_gateway_streams_open')).toBe(1);
    running.ticker.tick(1);
    const told = await stream.next();
    const { data } = JSON.parse(told?.data ?? '') as { data: { ticks: { cursor: string; n: number } } };
    expect([told?.event, data.ticks.n, told?.id]).toEqual(['next', 1, data.ticks.cursor]);
    stream.leave();
    await expect.poll(() => running.metric('sextant_gateway_streams_open')).toBe(0);
    await expect.poll(() => running.metric('sextant_gateway_stream_executions'), { timeout: 10_000 }).toBe(0);
  });

  it('goes on after Last-Event-ID, or after the cursor that the operation names', async () => {
    const first = await subscribe();
    const { id = '' } = (await first.next()) ?? {};
    for (const n of [1, 2, 3]) running.ticker.tick(n);
    expect(await first.ticks(3)).toEqual([1, 2, 3]);
    first.leave();
    running.ticker.tick(4);
    const byHeader = await subscribe(TICKS, { headers: { 'last-event-id': id } });
    expect(await byHeader.ticks(4)).toEqual([1, 2, 3, 4]);
    const byVariable = await subscribe(TICKS, { variables: { after: id } });
    expect(await byVariable.ticks(4)).toEqual([1, 2, 3, 4]);
    running.ticker.tick(5);
    expect([await byHeader.ticks(1), await byVariable.ticks(1)]).toEqual([[5], [5]]);
    await expect.poll(() => running.metric('sextant_gateway_stream_executions')).toBe(1);
    byHeader.leave();
    byVariable.leave();
  });

  it('is one execution for all who ask the same with the same rights, and none for others', async () => {
    const other = `Bearer ${await running.token({ tenant: 'other' })}`;
    const fewer = `Bearer ${await running.token({ scope: 'customer:read' })}`;
    const same = await Promise.all(Array.from({ length: 20 }, () => subscribe()));
    const strangers = await Promise.all(
      [other, fewer].map((token) => subscribe(TICKS, { headers: { authorization: token } })),
    );
    const { executed } = running.ticker;
    running.ticker.tick(7);
    for (const stream of same) expect(await stream.ticks(1)).toEqual([7]);
    expect(await strangers[1]?.ticks(1)).toEqual([7]);
    expect(running.ticker.executed - executed).toBe(2);
    running.ticker.tick(8, 'other');
    expect(await strangers[0]?.ticks(1)).toEqual([8]);
    for (const { identity } of running.ticker.begun.slice(-3)) expect(identity.subject).toBe('withheld');
    [...same, ...strangers].forEach((stream) => stream.leave());
  });

  it('notices nothing of a subgraph that dies and comes back', async () => {
    const stream = await subscribe();
    running.ticker.tick(1);
    expect(await stream.ticks(1)).toEqual([1]);
    await running.ticker.die();
    running.ticker.tick(2);
    await running.ticker.start();
    running.ticker.tick(3);
    expect(await stream.ticks(2)).toEqual([2, 3]);
    stream.leave();
  });

  it('goes on over a new supergraph, and lets go of the old one', async () => {
    const stream = await subscribe();
    await stream.next();
    const begun = running.ticker.begun.length;
    running.reload();
    await expect.poll(() => running.ticker.begun.length, { timeout: 10_000 }).toBeGreaterThan(begun);
    running.ticker.tick(9);
    expect(await stream.ticks(1)).toEqual([9]);
    stream.leave();
  });

  it('joins entities of other subgraphs for each event', async () => {
    const stream = await subscribe('subscription { ticks { n customer { id name } } }');
    running.ticker.tick(1);
    const frame = await stream.event();
    expect(JSON.parse(frame?.data ?? '')).toEqual({
      data: { ticks: { n: 1, customer: { id: 'cus_1', name: 'Customer cus_1' } } },
    });
    stream.leave();
  });

  it('withholds what the token does not open, and masks what breaks, event by event', async () => {
    const token = `Bearer ${await running.token({ scope: 'customer:read' })}`;
    const stream = await subscribe('subscription { ticks { n secret broken } }', {
      headers: { authorization: token },
    });
    running.ticker.tick(1);
    const answer = JSON.parse((await stream.event())?.data ?? '') as {
      data: object;
      errors: { path: string[]; message: string; extensions: { code: string } }[];
    };
    expect(answer.data).toEqual({ ticks: { n: 1, secret: null, broken: null } });
    expect(
      answer.errors.map(({ path, extensions }) => `${path.join('.')} ${extensions.code}`).toSorted(),
    ).toEqual(['ticks.broken INTERNAL_SERVER_ERROR', 'ticks.secret FORBIDDEN']);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    stream.leave();
  });
});

describe('what is refused', () => {
  it.each([
    ['a field that is closed', TICKS, 'scope', 'FORBIDDEN'],
    ['a cursor that is none', 'subscription { ticks(after: "nonsense") { n } }', '', 'INVALID_CURSOR'],
    ['a subscription to nothing', 'subscription { __typename }', '', 'GRAPHQL_VALIDATION_FAILED'],
    ['a document that is invalid', 'subscription { nothing }', '', 'GRAPHQL_VALIDATION_FAILED'],
  ])('%s is one result with its code, and the end', async (_, query, scope, code) => {
    const closed = `Bearer ${await running.token({ scope: 'price:read' })}`;
    const headers = { authorization: scope === '' ? authorization : closed };
    const stream = await subscribe(query, { headers });
    const refused = await stream.event();
    expect(refused?.data).toContain(`"code":"${code}"`);
    expect(await stream.event()).toMatchObject({ event: 'complete' });
    expect(await stream.next()).toBeNull();
  });

  it('who has no token, and a subscription without a stream', async () => {
    const anonymous = await subscribe(TICKS, { headers: { authorization: '' } });
    expect(anonymous.response.status).toBe(401);
    const headers = { authorization, 'content-type': 'application/json' };
    const plain = await fetch(running.url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: TICKS }),
    });
    expect(await plain.text()).toContain('text/event-stream');
  });

  it('a mutation by GET; queries and subscriptions come by it', async () => {
    const get = (query: string) =>
      fetch(`${running.url}?query=${encodeURIComponent(query)}`, {
        headers: { authorization, accept: 'text/event-stream' },
      });
    expect(await (await get('mutation { ingestEvents(events: []) }')).text()).toContain('METHOD_NOT_ALLOWED');
    const answered = await (await get('{ customer(id: "a") { id } }')).text();
    expect(answered).toMatch(
      /^event: next\ndata: {"data":{"customer":{"id":"a"}}.*}\n\nevent: complete\ndata:\n\n$/,
    );
    const stream = await get('subscription { ticks { n } }');
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
  });
});

describe('bounds', () => {
  it('end the stream of a token that runs out', async () => {
    const short = `Bearer ${await running.token({}, '2s')}`;
    const stream = await subscribe(TICKS, { headers: { authorization: short } });
    expect((await stream.event())?.data).toContain('UNAUTHENTICATED');
    expect(await stream.event()).toMatchObject({ event: 'complete' });
  });

  it('cut off a client that does not read, and nobody else', async () => {
    const query = 'subscription { ticks { n subject } }';
    const reader = await subscribe(query);
    const sleeper = await subscribe(query);
    const slow = () => running.metric('sextant_gateway_slow_subscribers_total');
    const text = 'x'.repeat(200_000);
    let read = 0;
    for (; read < 200 && !((await slow()) > 0); read++) {
      running.ticker.tick(read, 'demo', text);
      expect(await reader.ticks(1)).toEqual([read]);
    }
    expect(await slow()).toBe(1);
    running.ticker.tick(-1);
    expect(await reader.ticks(1)).toEqual([-1]);
    [reader, sleeper].forEach((stream) => stream.leave());
  });

  it('bound the connections of a tenant, and of no other', async () => {
    const small = await aTickingGateway({ SEXTANT_STREAM_CONNECTIONS: '2', SEXTANT_DRAIN_MS: '500' });
    const as = async (tenant: string) =>
      anEventStream(
        small.url,
        { query: TICKS },
        { authorization: `Bearer ${await small.token({ tenant })}` },
      );
    const streams = [await as('demo'), await as('demo')];
    const third = await as('demo');
    expect([third.response.status, await third.response.text().catch(() => '')]).toEqual([
      429,
      expect.any(String),
    ]);
    expect((await as('other')).response.status).toBe(200);
    streams[0]?.leave();
    await expect.poll(async () => (await as('demo')).response.status, { timeout: 5_000 }).toBe(200);
    await small.stop();
  });
});
