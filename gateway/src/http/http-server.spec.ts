import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { drainServer, gatewayServer } from './http-server.js';
import { rawConnection } from './test-socket.js';

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
