import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError } from '@sextant/domain';

/** What renders all metrics of a process; a registry of prom-client is one. */
export interface MetricsPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** A named condition of readiness; rejects or returns false while it does not hold. */
export interface ReadinessCheck {
  name: string;
  isReady(): Promise<boolean> | boolean;
}

/** What operators ask of a process, on a port of its own: /metrics, /health/live, /health/ready. */
export class OperationsServer {
  private readonly server: Server;
  private draining = false;

  constructor(
    private readonly registry: MetricsPage,
    private readonly checks: readonly ReadinessCheck[],
  ) {
    this.server = createServer((request, response) => {
      this.answer(request.url ?? '/').then(
        ({ status, type, body }) => response.writeHead(status, { 'content-type': type }).end(body),
        () => response.writeHead(500).end(), // a metric that cannot be collected must not end the process
      );
    });
  }

  async listen(port: number, host: string): Promise<number> {
    await listenOn(this.server, port, host);
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on not ready, so that no new traffic is sent here. */
  startDraining(): void {
    this.draining = true;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(url: string): Promise<{ status: number; type: string; body: string }> {
    const json = (status: number, value: unknown) => ({
      status,
      type: 'application/json',
      body: JSON.stringify(value),
    });
    if (url === '/metrics')
      return { status: 200, type: this.registry.contentType, body: await this.registry.metrics() };
    if (url === '/health/live') return json(200, { status: 'live' });
    if (url !== '/health/ready')
      return json(404, { error: 'only /metrics, /health/live and /health/ready are here' });
    if (this.draining) return json(503, { status: 'draining' });
    const outcomes = await Promise.all(
      this.checks.map(async (check) => [check.name, await holds(check)] as const),
    );
    const ready = outcomes.every(([, ok]) => ok);
    return json(ready ? 200 : 503, {
      status: ready ? 'ready' : 'not ready',
      checks: Object.fromEntries(outcomes),
    });
  }
}

async function holds(check: ReadinessCheck): Promise<boolean> {
  try {
    return await check.isReady();
  } catch {
    return false;
  }
}

/** Listens, or fails with a message that names the port and the remedy. */
export async function listenOn(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const busy = error.code === 'EADDRINUSE';
      reject(
        busy
          ? new DomainError(
              'CONFIG_INVALID',
              `port ${port} on ${host} is in use: end what holds it or set another PORT or METRICS_PORT`,
            )
          : error,
      );
    });
    server.listen(port, host, resolve);
  });
}
