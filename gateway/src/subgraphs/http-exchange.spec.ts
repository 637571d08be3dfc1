import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { HttpConnections } from './http-exchange.js';

it('opens another connection after so many requests, and loses none', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    sockets.add(request.socket);
    request.resume().on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connections = new HttpConnections({ origin, maxBytes: 1_000, requestsPerConnection: 5 });
  const post = () => connections.post({ path: '/', headers: {}, body: '{}', timeoutMs: 5_000 });
  for (let i = 0; i < 20; i += 1) expect(await post()).toEqual({ status: 200, body: '{}' });
  expect(sockets.size).toBe(4);
  await Promise.all(Array.from({ length: 100 }, post));
  await connections.destroy();
  await new Promise((resolve) => server.close(resolve));
});
