import type { Server } from 'node:http';
import { Counter, Gauge, type Registry } from 'prom-client';

/** What operators see of the public port below GraphQL. */
export class HttpMetrics {
  private readonly responses: Counter<'status'>;
  private readonly inFlight: Gauge;
  private server: Server | null = null;

  constructor(registry: Registry) {
    const registers = [registry];
    this.responses = new Counter({
      name: 'sextant_gateway_http_responses_total',
      help: 'answers on the public port by HTTP status; aborted: the client left before it had all of it',
      labelNames: ['status'],
      registers,
    });
    this.inFlight = new Gauge({
      name: 'sextant_gateway_http_requests_in_flight',
      help: 'requests on the public port that are not answered yet, open event streams among them',
      registers,
    });
    const connections: Gauge = new Gauge({
      name: 'sextant_gateway_http_connections',
      help: 'connections that clients have open, WebSockets among them',
      registers,
      collect: async () => connections.set(await this.connections()),
    });
  }

  watch(server: Server): void {
    this.server = server;
    server.on('request', (_request, response) => {
      this.inFlight.inc();
      response.once('close', () => {
        this.inFlight.dec();
        this.responses.inc({ status: response.writableFinished ? response.statusCode : 'aborted' });
      });
    });
  }

  private connections(): Promise<number> {
    return new Promise((resolve) => {
      if (!this.server?.listening) return resolve(0);
      this.server.getConnections((error, count) => resolve(error ? 0 : count));
    });
  }
}
