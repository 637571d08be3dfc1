import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError } from '@sextant/domain';

export interface OperationsSources {
  metrics: { readonly contentType: string; page(): Promise<string> };
  /** whether traffic should be sent here, and why not */
  readiness(): { ready: boolean; status: string };
  /** what is served and what was refused, for people */
  models(): unknown;
}

/** What operators ask of the worker over HTTP: /metrics, /health/live, /health/ready, /models. */
export class OperationsServer {
  private readonly server: Server;

  constructor(private readonly sources: OperationsSources) {
    this.server = createServer((request, response) => {
      this.answer(request.url ?? '/').then(
        ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
        () => response.writeHead(500).end(),
      );
    });
  }

  /** @throws DomainError CONFIG_INVALID when the port is taken */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (cause: NodeJS.ErrnoException) => {
        const remedy = `METRICS_PORT ${port} on ${host} cannot be opened (${cause.code}): end what holds it or set another METRICS_PORT`;
        reject(new DomainError('CONFIG_INVALID', remedy, { cause }));
      });
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(url: string): Promise<{ status: number; type: string; body: string }> {
    const json = (status: number, value: unknown) => ({
      status,
      type: 'application/json',
      body: JSON.stringify(value),
    });
    const { metrics } = this.sources;
    if (url === '/metrics') return { status: 200, type: metrics.contentType, body: await metrics.page() };
    if (url === '/health/live') return json(200, { status: 'live' });
    if (url === '/models') return json(200, this.sources.models());
    if (url !== '/health/ready') {
      return json(404, { error: 'only /metrics, /health/live, /health/ready and /models are here' });
    }
    const { ready, status } = this.sources.readiness();
    return json(ready ? 200 : 503, { status });
  }
}
