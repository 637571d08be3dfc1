import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Identity } from '@sextant/domain';
import { verifyRequest } from '@sextant/platform';

interface Listed {
  listPrice: { amount: string; currency: string } | null;
  cost: { amount: string; currency: string } | null;
  stock: number | null;
  categories: string[];
}

/** An HTTP server that answers the catalogue query of signed requests, as the campaign subgraph does. */
export class FixtureCatalogue {
  readonly products = new Map<string, Listed>();
  readonly callers: Identity[] = [];
  isDown = false;
  private readonly server: Server;

  constructor(secret: string) {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        const [method = '', path = ''] = [request.method, request.url];
        const signed = { receiver: 'campaign', method, path, body };
        this.callers.push(
          verifyRequest(signed, request.headers, { secret, nowMs: Date.now(), maxAgeMs: 5_000 }),
        );
        response.writeHead(this.isDown ? 503 : 200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(
            this.isDown ? { errors: [{ message: 'down' }] } : { data: { _entities: this.entitiesOf(body) } },
          ),
        );
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

  list(id: string, amount: string, cost: string | null = null, stock: number | null = 5): void {
    const currency = 'EUR';
    this.products.set(id, {
      listPrice: { amount, currency },
      cost: cost === null ? null : { amount: cost, currency },
      stock,
      categories: [],
    });
  }

  /** A listed product in one category. */
  file(id: string, category: string): void {
    this.list(id, '10.00');
    this.products.get(id)?.categories.push(category);
  }

  private entitiesOf(body: Buffer): object[] {
    const { variables } = JSON.parse(body.toString('utf8')) as {
      variables: { representations: { id: string }[] };
    };
    const unlisted: Listed = { listPrice: null, cost: null, stock: null, categories: [] };
    return variables.representations.map(({ id }) => ({ id, ...(this.products.get(id) ?? unlisted) }));
  }
}
