import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Sent {
  query: string;
  variables: { rows: Record<string, unknown>[] };
}
type Asked = Sent | { query: string; variables?: undefined };

/** Answers before the real answer: a status, a GraphQL error code, or a cut connection. */
export type Trouble =
  | { status: number; headers?: Record<string, string> }
  | { code: string; status?: number }
  | 'cut'
  | 'cut-after-storing';

/** A real HTTP server that stores rows by id as the graph does, and makes the troubles it was given first. */
export class RecordingGateway {
  readonly events = new Map<string, Record<string, unknown>>();
  readonly products = new Map<string, Record<string, unknown>>();
  readonly tokens: (string | undefined)[] = [];
  readonly batchSizes: number[] = [];
  readonly troubles: Trouble[] = [];
  /** Rows that the graph itself finds fault with. */
  isBad: (row: Record<string, unknown>) => boolean = () => false;
  /** Answers to come for batches that are not computed yet; then none is. */
  pending: number[] = [];
  /** Batches above it are refused. */
  maxBatch = Infinity;
  mostAtOnce = 0;
  private atOnce = 0;
  private readonly server = createServer((request, response) => void this.answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/graphql`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const sent = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Asked;
    this.tokens.push(request.headers.authorization);
    if (!sent.variables) return this.answerStatus(response);
    const trouble = this.troubles.shift();
    if (trouble === 'cut-after-storing') this.store(sent);
    this.atOnce--;
    if (trouble === 'cut' || trouble === 'cut-after-storing') return void request.socket.destroy();
    if (trouble) return reply(response, trouble);
    if (sent.variables.rows.length > this.maxBatch) return reply(response, { code: 'BATCH_TOO_LARGE' });
    this.batchSizes.push(sent.variables.rows.length);
    response.end(JSON.stringify({ data: this.store(sent) }));
  }

  private answerStatus(response: ServerResponse): void {
    this.atOnce--;
    const pendingBatches = this.pending.shift() ?? 0;
    response.end(JSON.stringify({ data: { ingestionStatus: { pendingBatches } } }));
  }

  private store({ query, variables: { rows } }: Sent): Record<string, unknown> {
    const isEvents = query.includes('ingestEvents');
    const store = isEvents ? this.events : this.products;
    const bad = rows.flatMap((row, index) => (this.isBad(row) ? [index] : []));
    const fresh = rows.filter((row, index) => !bad.includes(index) && !store.has(String(row['id'])));
    for (const row of fresh) store.set(String(row['id']), row);
    const fault = { code: 'INVALID_INPUT', message: 'is bad' };
    if (!isEvents) {
      const userErrors = bad.map((index) => ({ ...fault, field: `products.${index}.title` }));
      return { upsertProducts: { upserted: rows.length - bad.length, userErrors } };
    }
    const rejected = bad.map((index) => ({
      ...fault,
      index,
      id: String(rows[index]?.['id']),
      path: 'properties.x',
    }));
    const duplicates = rows.length - bad.length - fresh.length;
    return {
      ingestEvents: { accepted: fresh.length, duplicates, rejected, watermark: '2026-01-01T00:00:00.000Z' },
    };
  }
}

function reply(
  response: ServerResponse,
  trouble: { status: number; headers?: Record<string, string> } | { code: string; status?: number },
): void {
  const headers = 'headers' in trouble ? trouble.headers : {};
  response.writeHead(trouble.status ?? 200, { 'content-type': 'application/json', ...headers });
  response.end(
    'code' in trouble
      ? JSON.stringify({ data: null, errors: [{ message: 'no', extensions: { code: trouble.code } }] })
      : 'down',
  );
}
