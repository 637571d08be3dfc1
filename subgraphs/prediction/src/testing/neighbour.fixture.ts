import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity } from '@sextant/domain';
import { verifyRequest } from '@sextant/platform';

/** An HTTP server that says of signed requests which entities there are, as the subgraph of its name does. */
export class FixtureNeighbour {
  /** `Type id` of tenant demo */
  readonly known = new Set<string>();
  /** who asked, and for how many at once */
  readonly asked: { identity: Identity; count: number }[] = [];
  isDown = false;
  private readonly server: Server;

  constructor(name: 'customer' | 'campaign', secret: string) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const [method = '', path = ''] = [request.method, request.url];
        const signed = { receiver: name, method, path, body };
        const identity = verifyRequest(signed, request.headers, {
          ...{ secret, nowMs: Date.now(), maxAgeMs: 5_000 },
        });
        const { variables } = JSON.parse(body.toString()) as {
          variables: { representations: { __typename: string; id: string }[] };
        };
        this.asked.push({ identity, count: variables.representations.length });
        const found = variables.representations.map(({ __typename, id }) =>
          identity.tenantId === 'demo' && this.known.has(`${__typename} ${id}`) ? { __typename } : null,
        );
        response.writeHead(this.isDown ? 503 : 200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(this.isDown ? { errors: [] } : { data: { _entities: found } }));
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/graphql`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
