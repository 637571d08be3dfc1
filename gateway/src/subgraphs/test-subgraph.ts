import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Registry } from 'prom-client';
import type { SubgraphFetch } from '../engine/engine.js';
import { createLogger } from '@sextant/platform';
import { SubgraphClient, type SubgraphClientOptions } from './subgraph.client.js';
import { SubgraphMetrics } from './subgraph-metrics.js';

export const SECRET = 'a secret of thirty-two characters';

/** Answers one request, however badly. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage) => void;

const json = (status: number, body: string): Behaviour => {
  return (response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body);
};

export const BEHAVIOURS = {
  ok: json(200, '{"data":{"a":1}}'),
  html: json(200, '<html><body>502 Bad Gateway</body></html>'),
  truncatedJson: json(200, '{"data":{"a":'),
  list: json(200, '[{"data":{"a":1}}]'),
  dataIsText: json(200, '{"data":"all fine"}'),
  dataIsList: json(200, '{"data":[1]}'),
  errorsAreText: json(200, '{"data":{"a":1},"errors":"none"}'),
  noErrors: json(200, '{"errors":[]}'),
  nothing: json(200, '{}'),
  empty: json(200, ''),
  unavailable: json(503, 'no healthy upstream'),
  redirect: (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  reset: (_, request) => void request.socket.destroy(),
  breaksOff: (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"data":{"a"', () => response.destroy());
  },
  silent: () => undefined,
  drip: (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  },
  huge: (response) => {
    const piece = 'x'.repeat(64 * 1024);
    response.writeHead(200, { 'content-type': 'application/json' });
    const pour = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on('drain', pour);
    pour();
  },
} satisfies Record<string, Behaviour>;

/** A subgraph that does as it is told, request by request; the last behaviour stays. */
export async function aFickleSubgraph(...script: Behaviour[]) {
  const sockets = new Set<Socket>();
  const subgraph = {
    script,
    requests: [] as IncomingMessage['headers'][],
    /** requests whose connection was closed by the caller before they were answered */
    abandoned: 0,
    bodies: [] as string[],
    url: '',
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      subgraph.requests.push(request.headers);
      subgraph.bodies.push(Buffer.concat(chunks).toString());
      response.on('close', () => {
        if (!response.writableFinished) subgraph.abandoned += 1;
      });
      const [behave = BEHAVIOURS.ok] = subgraph.script;
      if (subgraph.script.length > 1) subgraph.script.shift();
      behave(response, request);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  subgraph.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  return subgraph;
}

export const NOBODY = {
  subject: 'somebody',
  tenantId: 'demo',
  roles: ['analyst'],
  scopes: ['customer:read'],
};

/** A fetch of `{ a }`. */
export function aFetch(
  given: Partial<Omit<SubgraphFetch, 'context'>> & { context?: Partial<SubgraphFetch['context']> } = {},
): SubgraphFetch {
  const query = given.query ?? '{ a }';
  return {
    query,
    queryJson: JSON.stringify(query),
    variables: undefined,
    operationName: undefined,
    operationType: 'query',
    ...given,
    context: {
      identity: NOBODY,
      audience: 'company',
      requestId: 'one',
      client: { name: null, version: null, address: '' },
      deadlineMs: Date.now() + 5_000,
      ledger: { fetches: 0, joined: 0, cached: 0, estimatedCost: null },
      ...given.context,
    },
  };
}

/** A client of one subgraph, and the registry of its metrics. */
export function aClient(url: string, given: Partial<SubgraphClientOptions> = {}) {
  const registry = new Registry();
  const client = new SubgraphClient(
    'campaign',
    { url: new URL(url), secret: SECRET, isForeign: false },
    {
      timeoutMs: 2_000,
      maxAnswerBytes: 256 * 1024,
      retryRatio: 0.1,
      writes: { count: 0 },
      logger: createLogger('test', 'silent'),
      metrics: new SubgraphMetrics(registry),
      ...given,
    },
  );
  return { client, registry };
}
