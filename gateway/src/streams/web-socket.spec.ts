import { createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { aTickingGateway } from './test-ticker.js';

const TICKS = 'subscription($after: String) { ticks(after: $after) { cursor n } }';
const PROTOCOL = 'graphql-transport-ws';

let running: Awaited<ReturnType<typeof aTickingGateway>>;
let authorization: string;
let address: string;
beforeAll(async () => {
  running = await aTickingGateway({ SEXTANT_STREAM_SUBSCRIPTIONS: '3' });
  authorization = `Bearer ${await running.token()}`;
  address = running.url.replace('http', 'ws');
});
afterAll(() => running.stop());

interface Told {
  ticks: { cursor: string; n: number };
}

/** A client of graphql-ws, as a frontend has it. */
function aClient(connectionParams: object | (() => Promise<object>) = { authorization }) {
  const closes: number[] = [];
  const client = createClient({
    ...{ url: address, webSocketImpl: WebSocket, connectionParams: connectionParams as never },
    ...{
      shouldRetry: () => true,
      retryAttempts: 20,
      retryWait: () => new Promise((done) => setTimeout(done, 50)),
    },
    on: { closed: (event) => closes.push((event as { code: number }).code) },
  });
  return { client, closes };
}

/** A socket spoken to by hand. */
async function aSocket(url = address, protocol: string | string[] = PROTOCOL) {
  const socket = new WebSocket(url, protocol);
  const heard: { type: string; id?: string; payload?: unknown }[] = [];
  socket.on('message', (data) => heard.push(JSON.parse(String(data))));
  socket.on('error', () => undefined);
  const closed = new Promise<number>((resolve) => socket.on('close', (code) => resolve(code)));
  await new Promise<void>((resolve) => {
    socket.on('open', () => resolve());
    socket.on('close', () => resolve());
  });
  const hear = async (type: string) => {
    await expect.poll(() => heard.some((message) => message.type === type), { timeout: 5_000 }).toBe(true);
    return heard.find((message) => message.type === type);
  };
  return {
    socket,
    heard,
    closed,
    hear,
    send: (message: object) => socket.send(JSON.stringify(message)),
    async init(payload: object = { authorization }) {
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
      await hear('connection_ack');
    },
  };
}

describe('graphql-ws', () => {
  it('gets events, results of queries, and errors with their codes', async () => {
    const { client } = aClient();
    const events = client.iterate<Told>({ query: TICKS });
    const first = events.next();
    await expect.poll(() => running.metric('sextant_gateway_streams_open')).toBe(1);
    running.ticker.tick(1);
    expect((await first).value?.data?.ticks.n).toBe(1);
    await events.return?.();
    const query = client.iterate({ query: '{ customer(id: "a") { id } }' });
    expect((await query.next()).value?.data).toEqual({ customer: { id: 'a' } });
    expect((await query.next()).done).toBe(true);
    await expect(client.iterate({ query: '{ nothing_at_all }' }).next()).rejects.toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ]);
    await client.dispose();
    await expect.poll(() => running.metric('sextant_gateway_streams_open')).toBe(0);
  });

  it('comes back by itself after the last event when its connection breaks', async () => {
    const sockets: WebSocket[] = [];
    class Counted extends WebSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const client = createClient({
      ...{ url: address, webSocketImpl: Counted, connectionParams: { authorization } },
      ...{ shouldRetry: () => true, retryWait: () => new Promise((done) => setTimeout(done, 50)) },
    });
    const seen: number[] = [];
    let after: string | null = null;
    const variables = {
      get after() {
        return after;
      },
    };
    const leave = client.subscribe<Told>(
      { query: TICKS, variables },
      {
        next({ data }) {
          seen.push(data?.ticks.n ?? NaN);
          after = data?.ticks.cursor ?? null;
        },
        error: () => undefined,
        complete: () => undefined,
      },
    );
    await expect.poll(() => running.metric('sextant_gateway_streams_open')).toBe(1);
    running.ticker.tick(1);
    await expect.poll(() => seen).toEqual([1]);
    sockets[0]?.terminate();
    running.ticker.tick(2);
    running.ticker.tick(3);
    await expect.poll(() => seen, { timeout: 5_000 }).toEqual([1, 2, 3]);
    running.ticker.tick(4);
    await expect.poll(() => seen).toEqual([1, 2, 3, 4]);
    expect(sockets.length).toBe(2);
    leave();
    await client.dispose();
  });

  it('is sent away with 4403 when its token runs out, and stays with a new one', async () => {
    const lives = ['2s', '5m'];
    const { client, closes } = aClient(async () => ({
      authorization: `Bearer ${await running.token({}, lives.shift() ?? '5m')}`,
    }));
    const seen: number[] = [];
    const observer = { next: ({ data }: { data?: Told | null }) => void seen.push(data?.ticks.n ?? NaN) };
    client.subscribe<Told>(
      { query: TICKS },
      { ...observer, error: () => undefined, complete: () => undefined },
    );
    await expect.poll(() => closes, { timeout: 10_000 }).toEqual([4403]);
    await expect.poll(() => running.metric('sextant_gateway_streams_open'), { timeout: 5_000 }).toBe(1);
    running.ticker.tick(5);
    await expect.poll(() => seen).toEqual([5]);
    await client.dispose();
  });
});

describe('the protocol', () => {
  it.each([
    ['no identity', { authorization: 'nothing' }, 4403],
    ['a forged token', { authorization: 'Bearer a.b.c' }, 4403],
  ])('closes the socket of %s', async (_, payload, code) => {
    const { send, closed } = await aSocket();
    send({ type: 'connection_init', payload });
    expect(await closed).toBe(code);
  });

  it('asks for an identity before anything else, once, and soon', async () => {
    const early = await aSocket();
    early.send({ id: '1', type: 'subscribe', payload: { query: TICKS } });
    expect(await early.closed).toBe(4401);
    const twice = await aSocket();
    await twice.init();
    twice.send({ type: 'connection_init' });
    expect(await twice.closed).toBe(4429);
    const silent = await aSocket();
    expect(await silent.closed).toBe(4408);
  }, 15_000);

  it('takes its own subprotocol only, at the paths of the graph only', async () => {
    const other = await aSocket(address, 'graphql-ws');
    expect(await other.closed).not.toBe(1000);
    expect(other.heard).toEqual([]);
    const elsewhere = await aSocket(address.replace('/graphql', '/elsewhere'));
    expect(elsewhere.socket.readyState).toBe(WebSocket.CLOSED);
  });

  it('takes neither nonsense nor more than 256 KiB at once', async () => {
    const nonsense = await aSocket();
    nonsense.socket.send('nonsense');
    expect(await nonsense.closed).toBe(4400);
    const large = await aSocket();
    await large.init();
    large.socket.send('x'.repeat(300_000));
    expect(await large.closed).toBe(1009);
  });

  it('answers pings, knows each id once, and carries so many operations', async () => {
    const socket = await aSocket();
    await socket.init();
    socket.send({ type: 'ping' });
    await socket.hear('pong');
    for (const id of ['1', '2', '3', '4']) socket.send({ id, type: 'subscribe', payload: { query: TICKS } });
    expect(await socket.hear('error')).toMatchObject({
      id: '4',
      payload: [{ extensions: { code: 'STREAM_LIMIT_REACHED' } }],
    });
    socket.send({ id: '3', type: 'complete' });
    socket.send({ id: '5', type: 'subscribe', payload: { query: '{ customer(id: "a") { id } }' } });
    expect(await socket.hear('next')).toMatchObject({ id: '5' });
    expect(await socket.hear('complete')).toMatchObject({ id: '5' });
    socket.send({ id: '1', type: 'subscribe', payload: { query: TICKS } });
    expect(await socket.closed).toBe(4409);
  });

  it('is cut off for a client that does not read', async () => {
    const sleeper = await aSocket();
    await sleeper.init();
    sleeper.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { ticks { n subject } }' } });
    await expect.poll(() => running.metric('sextant_gateway_streams_open')).toBeGreaterThan(0);
    sleeper.socket.pause();
    const slow = () => running.metric('sextant_gateway_slow_subscribers_total');
    for (let n = 0; n < 200 && !((await slow()) > 0); n++)
      running.ticker.tick(n, 'demo', 'x'.repeat(200_000));
    expect(await slow()).toBe(1);
  });

  it('refuses what the scopes do not open, and masks what a subgraph says', async () => {
    const socket = await aSocket();
    await socket.init({ authorization: `Bearer ${await running.token({ scope: 'price:read' })}` });
    socket.send({ id: '1', type: 'subscribe', payload: { query: TICKS } });
    expect(await socket.hear('error')).toMatchObject({ payload: [{ extensions: { code: 'FORBIDDEN' } }] });
    socket.socket.close();
  });

  it('shares its executions with server-sent events, and sends clients elsewhere when the gateway goes down', async () => {
    const going = await aTickingGateway();
    const socket = await aSocket(going.url.replace('http', 'ws'));
    await socket.init({ authorization: `Bearer ${await going.token()}` });
    socket.send({ id: '1', type: 'subscribe', payload: { query: TICKS } });
    await expect.poll(() => going.metric('sextant_gateway_streams_open')).toBe(1);
    await going.stop();
    expect(await socket.closed).toBe(1012);
  });
});
