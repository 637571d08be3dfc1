import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { drainServer, gatewayServer } from './http-server.js';
import { rawConnection, until } from './test-socket.js';

let server: ReturnType<typeof gatewayServer>;
afterEach(() => drainServer(server, 100));

/** A server that cuts slow clients off after a tenth of a second. */
async function quickServer(): Promise<string> {
  server = gatewayServer(
    (request, response) => void request.resume().once('end', () => response.end('all of it')),
    { headersMs: 100, requestMs: 200, checkedEveryMs: 50 },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('a client that dribbles', () => {
  it.each([
    ['its headers', 'POST / HTTP/1.1\r\nhost: x\r\nx-slow: '],
    ['its body', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{'],
  ])('%s in is told so and cut off', async (_what, beginning) => {
    const { socket, closed } = await rawConnection(await quickServer());
    socket.write(beginning);
    const dribble = setInterval(() => socket.write('x'), 20);
    const answer = await closed;
    clearInterval(dribble);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
    expect(answer).toContain('"code":"BAD_REQUEST"');
  });

  it('that sends a length it does not keep is cut off, too', async () => {
    const { socket, closed } = await rawConnection(await quickServer());
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{}');
    expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('a server that drains', () => {
  /** Longer than a spec may take: nothing here may end because this has passed. */
  const NEVER_MS = 600_000;

  it('waits for no connection that was opened and never used, and none that is kept alive', async () => {
    const url = await quickServer();
    const silent = await rawConnection(url);
    const kept = await rawConnection(url);
    kept.socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await until('the answer', () => kept.received().endsWith('all of it'));
    await drainServer(server, NEVER_MS);
    expect([await silent.closed, await kept.closed]).toEqual(['', kept.received()]);
  });

  it('lets a request that has begun come to its answer', async () => {
    const { socket, closed } = await rawConnection(await quickServer());
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{');
    await new Promise((resolve) => server.once('request', resolve));
    const drained = drainServer(server, NEVER_MS);
    await new Promise((resolve) => setImmediate(resolve));
    socket.write('}');
    expect(await closed).toContain('all of it');
    await drained;
  });

  it('ends an upgraded connection that does not go by itself when its time is over', async () => {
    const url = await quickServer();
    server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const { socket, received, closed } = await rawConnection(url);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    await until('the upgrade', () => received().startsWith('HTTP/1.1 101'));
    await drainServer(server, 100);
    await closed;
  });
});
