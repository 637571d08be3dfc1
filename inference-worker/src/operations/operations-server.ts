import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError } from '@sextant/domain';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import { DEVICE_OF } from '../onnx/providers.js';
import type { WorkerLifecycle } from './worker-lifecycle.js';

export interface OperationsSources {
  metrics: { readonly contentType: string; page(): Promise<string> };
  lifecycle: WorkerLifecycle;
  catalogue: ModelCatalogue;
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
    if (url === '/models') return json(200, describeModels(this.sources.catalogue));
    if (url !== '/health/ready') {
      return json(404, { error: 'only /metrics, /health/live, /health/ready and /models are here' });
    }
    const { state } = this.sources.lifecycle;
    return json(state === 'ready' ? 200 : 503, { status: state });
  }
}

function describeModels(catalogue: ModelCatalogue): unknown {
  return {
    serving: catalogue.list().map(({ model, version, trainedAt, provider, attempts }) => ({
      model,
      version,
      trainedAt,
      device: DEVICE_OF[provider],
      failedProviders: attempts,
    })),
    refused: catalogue.refused().map(([model, { version, reason, at }]) => ({
      model,
      version,
      reason,
      at: new Date(at).toISOString(),
    })),
  };
}
