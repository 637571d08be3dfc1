import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What stands between the gateway and a subgraph. */
export type Fault =
  'none' | 'resets' | 'never answers' | 'drips' | 'answers HTML' | 'breaks off' | 'answers 503';

export interface FaultProxy {
  url: string;
  fault: Fault;
  /** requests that came in since the fault was set */
  requests: number;
  close(): Promise<void>;
}

/** An HTTP proxy before a running subgraph which can be told to spoil what passes through it. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    proxy.requests += 1;
    spoil(proxy.fault, { request, response }, () => forward(target, request, response));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    fault: 'none',
    requests: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function spoil(
  fault: Fault,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  forwarded: () => void,
): void {
  if (fault === 'none') return forwarded();
  if (fault === 'resets') return void request.socket.destroy();
  request.resume();
  if (fault === 'answers HTML') return void response.end('<html><h1>It works!</h1></html>');
  if (fault === 'answers 503') return void response.writeHead(503).end('no healthy upstream');
  if (fault === 'never answers') return;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
  if (fault === 'breaks off') return void response.write('{"data":{"prod', () => response.destroy());
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
}

function forward(target: string, request: IncomingMessage, response: ServerResponse): void {
  const outgoing = httpRequest(target, { method: request.method, headers: request.headers }, (incoming) => {
    response.writeHead(incoming.statusCode ?? 502, incoming.headers);
    incoming.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  request.pipe(outgoing);
}
