import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { DomainError } from '@sextant/domain';
import type { ModelCatalogue } from '../models/model-catalogue.js';
import type { ModelControl } from '../models/model-control.js';
import type { ModelRunner } from '../models/model-runner.js';
import { DEVICE_OF } from '../onnx/providers.js';
import { answerBy, failure, json, type Reply, type Route } from './http-routes.js';
import { openInferenceRoutes } from './open-inference-routes.js';
import { statusPage } from './status-page.js';
import type { WorkerLifecycle } from './worker-lifecycle.js';
import type { WorkerMetrics } from './worker-metrics.js';
import { reportWorker } from './worker-report.js';

export interface OperationsSources {
  metrics: WorkerMetrics;
  lifecycle: WorkerLifecycle;
  catalogue: ModelCatalogue;
  control: ModelControl;
  runner: ModelRunner;
  /** of the product */
  version: string;
}

/** Bounds on what clients may hold: whoever is slow or sends nothing is dropped. */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
};
const MAX_CONNECTIONS = 128;
const MAX_BODY_BYTES = 64 * 1024;

/** Of every answer. */
const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
};

/**
 * What operators and probes ask of the worker over HTTP: the status page, /metrics, /health, /models, and the questions of the Open
 * Inference Protocol under /v2.
 */
export class OperationsServer {
  private readonly server: Server;
  private readonly routes: readonly Route[];

  constructor(private readonly sources: OperationsSources) {
    this.routes = operationsRoutes(sources);
    this.server = createServer(LIMITS, (request, response) => this.serve(request, response));
    this.server.maxConnections = MAX_CONNECTIONS;
    this.server.on('clientError', (error, socket) => refuseBytes(error, socket as Socket));
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
    this.sources.metrics.startWatching();
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.sources.metrics.stopWatching();
    if (!this.server.listening) return;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    this.answer(request).then(
      (reply) => send(response, reply, request.method === 'HEAD'),
      () => send(response, failure(500, 'internal error'), false),
    );
  }

  private async answer(request: IncomingMessage): Promise<Reply> {
    const body = await bodyOf(request);
    if (body === null)
      return {
        ...failure(413, `a body may hold ${MAX_BODY_BYTES} bytes`),
        headers: { connection: 'close' },
      };
    const [path = '/'] = (request.url ?? '/').split('?');
    return answerBy(this.routes, { method: request.method ?? 'GET', path, body });
  }
}

function operationsRoutes(sources: OperationsSources): Route[] {
  const { metrics, lifecycle, catalogue } = sources;
  const get = (path: string, answer: () => Reply | Promise<Reply>): Route => ({
    method: 'GET',
    pattern: new RegExp(`^${path}$`),
    answer,
  });
  return [
    get('/', () => ({
      status: 200,
      type: 'text/html; charset=utf-8',
      body: statusPage(reportWorker(sources), new Date()),
      headers: PAGE_HEADERS,
    })),
    get('/metrics', async () => ({ status: 200, type: metrics.contentType, body: await metrics.page() })),
    get('/health/live', () => json(200, { status: 'live' })),
    get('/health/ready', () => json(lifecycle.state === 'ready' ? 200 : 503, { status: lifecycle.state })),
    get('/models', () => json(200, describeModels(catalogue))),
    ...openInferenceRoutes({ ...sources, versions: metrics.versions }),
  ];
}

function send(response: ServerResponse, { status, type, body, headers }: Reply, isHead: boolean): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { ...HEADERS, 'content-type': type, 'content-length': length, ...headers });
  response.end(isHead ? undefined : body);
}

/** @returns null when it is too long; what comes then is not read */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return null;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What is no HTTP, too long or too slow gets a status where the socket still takes one. */
function refuseBytes({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const status = code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
  const body = JSON.stringify({ error: 'the request is not valid HTTP, too long or too slow' });
  const head = ['Connection: close', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  socket.end([`HTTP/1.1 ${status}`, ...head, '', body].join('\r\n'), () => socket.destroy());
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
