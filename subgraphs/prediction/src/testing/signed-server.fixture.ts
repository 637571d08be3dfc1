import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity } from '@sextant/domain';
import { verifyRequest } from '@sextant/platform';

/** One `_entities` request. */
export interface AskedEntities<Representation> {
  identity: Identity;
  representations: readonly Representation[];
}

/** An HTTP server that answers `_entities` queries of signed requests as a subgraph does, while it is not down. */
export abstract class SignedServer<Representation> {
  isDown = false;
  private readonly server: Server;

  constructor(receiver: 'customer' | 'campaign', secret: string) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const [method = '', path = ''] = [request.method, request.url];
        const checking = { secret, nowMs: Date.now(), maxAgeMs: 5_000 };
        const identity = verifyRequest({ receiver, method, path, body }, request.headers, checking);
        const { variables } = JSON.parse(body.toString('utf8')) as {
          variables: { representations: Representation[] };
        };
        const entities = this.entitiesOf({ identity, ...variables });
        response.writeHead(this.isDown ? 503 : 200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(this.isDown ? { errors: [{ message: 'down' }] } : { data: { _entities: entities } }),
        );
      });
    });
  }

  /** @returns its GraphQL endpoint */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/graphql`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Called for each request, also while the server is down. */
  protected abstract entitiesOf(asked: AskedEntities<Representation>): readonly (object | null)[];
}
