import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { rawConnection } from '../http/test-socket.js';
import { aTickingGateway } from './test-ticker.js';

/** `id` of an operation as long as it may be. */
const LONGEST_ID = 'é'.repeat(128);
const NEVER = 'subscription($after: String) { ticks(after: $after) { n } }';

let running: Awaited<ReturnType<typeof aTickingGateway>>;
beforeAll(async () => {
  running = await aTickingGateway();
});
afterAll(() => running.stop());

/** What would have ended the process of a gateway. */
let fatal: Error[];
const onFatal = (error: Error): void => void fatal.push(error);
beforeEach(() => {
  fatal = [];
  process.on('uncaughtExceptionMonitor', onFatal);
});
afterEach(() => void process.off('uncaughtExceptionMonitor', onFatal));

const upgrade = (path: string): string =>
  [
    ...[`GET ${path} HTTP/1.1`, 'host: gateway', 'connection: Upgrade', 'upgrade: websocket'],
    ...['sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==', '', ''],
  ].join('\r\n');

/** A gateway that lives answers. */
async function answers(): Promise<boolean> {
  const { status } = await fetch(running.url, { method: 'OPTIONS' });
  return status === 204 && fatal.length === 0;
}

describe('a gateway goes on', () => {
  it('when a socket without the protocol sends what is no frame', async () => {
    const { socket, closed } = await rawConnection(running.url);
    socket.write(Buffer.concat([Buffer.from(upgrade('/graphql')), Buffer.from([0xff, 0xff, 0xff])]));
    expect(await closed).toContain('101 Switching Protocols');
    expect(fatal).toEqual([]);
    expect(await answers()).toBe(true);
  });

  it('when those it refuses to upgrade break their connections', async () => {
    const { hostname, port } = new URL(running.url);
    const broken = Array.from({ length: 50 }, async () => {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(upgrade('/nowhere'));
      socket.resetAndDestroy();
    });
    await Promise.all(broken);
    for (let i = 0; i < 20; i += 1) expect(await answers()).toBe(true);
    expect(fatal).toEqual([]);
  });

  it('when an operation comes twice under the longest id', async () => {
    const socket = new WebSocket(running.url.replace('http', 'ws'), 'graphql-transport-ws');
    const closed = once(socket, 'close');
    await once(socket, 'open');
    const authorization = `Bearer ${await running.token()}`;
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization } }));
    await once(socket, 'message');
    const subscribe = { id: LONGEST_ID, type: 'subscribe', payload: { query: NEVER } };
    socket.send(JSON.stringify(subscribe));
    socket.send(JSON.stringify(subscribe));
    const [code, reason] = (await closed) as [number, Buffer];
    expect(code).toBe(4409);
    expect(String(reason)).toMatch(/^Subscriber for é{40,}/);
    expect(await answers()).toBe(true);
  });
});
