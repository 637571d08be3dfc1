import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { aGateway } from '../test-gateway.js';

let running: Awaited<ReturnType<typeof aGateway>> | undefined;
let socket: Socket | undefined;
afterEach(async () => {
  socket?.destroy();
  await running?.stop();
});

it('nothing runs on a socket that was told to close, though its client does not answer', async () => {
  running = await aGateway();
  const { requests } = running.subgraphs.customer;
  socket = connect(Number(new URL(running.gateway.url).port), '127.0.0.1');
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString('latin1')));
  const until = (text: string) => expect.poll(() => heard, { timeout: 10_000 }).toContain(text);
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n`,
  );
  await until('101 Switching Protocols');
  const authorization = `Bearer ${await running.token({}, '2s')}`;
  socket.write(textFrame({ type: 'connection_init', payload: { authorization } }));
  await until('connection_ack');
  const query = 'mutation { ingestEvents(events: [{ id: "1", type: "order", at: "2026-01-01T00:00:00Z" }]) }';
  socket.write(textFrame({ id: 'in-time', type: 'subscribe', payload: { query } }));
  await until('"complete"');
  const inTime = requests.length;
  expect(inTime).toBeGreaterThan(0);
  await until('no longer valid');
  socket.write(textFrame({ id: 'late', type: 'subscribe', payload: { query } }));
  // Asked after the late message, and answered by the same subgraph.
  const alive = await fetch(running.gateway.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${await running.token()}` },
    body: JSON.stringify({ query: '{ whoami }' }),
  });
  expect(alive.status).toBe(200);
  expect(requests.length).toBe(inTime + 1);
});

/** A masked text frame of RFC 6455. */
function textFrame(message: object): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const mask = randomBytes(4);
  const head =
    body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0x80 | 126, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from(head), mask, body.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}
