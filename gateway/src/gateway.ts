import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { DomainError } from '@sextant/domain';
import {
  createLogger,
  listenOn,
  type Logger,
  OperationsServer,
  type ReadinessCheck,
  type Tracing,
} from '@sextant/platform';
import { accessGuard } from './access/access.guard.js';
import type { Engine, EngineSource, SubgraphTransport } from './engine/engine.js';
import { FederatedEngine } from './engine/federated-engine.js';
import type { GatewayConfig } from './gateway.config.js';
import { httpFront, type SideDoor } from './http/http-front.js';
import { drainServer, gatewayServer } from './http/http-server.js';
import { readOnlyGuard } from './http/read-only.guard.js';
import { keysFrom, TokenVerifier } from './identity/token-verifier.js';
import { boundedDocument, noIncrementalDelivery } from './limits/document-rules.js';
import { documentLimits } from './limits/document-limits.js';
import { GatewayMetrics } from './observe/gateway-metrics.js';
import { errorMask } from './pipeline/error-mask.js';
import type { GatewayContext } from './pipeline/operation.js';
import { Pipeline } from './pipeline/pipeline.js';
import { subgraphEndpoints } from './subgraphs/subgraph-endpoints.js';
import { SubgraphMetrics } from './subgraphs/subgraph-metrics.js';
import { HttpSubgraphTransport, SubgraphClients } from './subgraphs/subgraph.transport.js';
import { readSupergraph, type Supergraph } from './supergraph/supergraph.js';

export interface RunningGateway {
  /** URL of /graphql */
  url: string;
  metricsUrl: string;
  close(): Promise<void>;
}

/** Boots the gateway; used by main.ts and, on free ports, by its tests. */
export async function startGateway(
  config: GatewayConfig,
  tracing: Tracing | null = null,
): Promise<RunningGateway> {
  const logger = createLogger('gateway', config.LOG_LEVEL);
  const supergraph = readSupergraph(readFile(config.SUPERGRAPH_PATH));
  const metrics = new GatewayMetrics();
  const clients = clientsOf(config, metrics, logger);
  const transport = new HttpSubgraphTransport(subgraphEndpoints(supergraph.subgraphs, config), clients);
  const limits = documentLimits(config);
  const engine = new FederatedEngine({
    supergraph,
    transport,
    rules: [boundedDocument(limits), noIncrementalDelivery],
    checkText: (text) => limits.ofText(text),
  });
  const pipeline = pipelineOf(engine, metrics, logger);
  const life = { isDraining: false };
  const front = frontOf(config, { pipeline, metrics, logger, tracing, life });
  const server = gatewayServer((request, response) => void front(request, response));
  const operations = new OperationsServer(metrics.registry, [subgraphsCheck(transport, supergraph)]);
  const metricsPort = await operations.listen(config.METRICS_PORT, config.HOST);
  await listenOn(server, config.PORT, config.HOST);
  const { port } = server.address() as AddressInfo;
  logger.info({ port, metricsPort }, 'gateway is ready');
  return {
    url: `http://${config.HOST}:${port}/graphql`,
    metricsUrl: `http://${config.HOST}:${metricsPort}/metrics`,
    async close() {
      life.isDraining = true;
      operations.startDraining();
      await drainServer(server, config.SEXTANT_DRAIN_MS);
      transport.close();
      await operations.close();
      await tracing?.close();
    },
  };
}

interface FrontParts {
  pipeline: Pipeline;
  metrics: GatewayMetrics;
  logger: Logger;
  tracing: Tracing | null;
  life: { isDraining: boolean };
}

function frontOf(config: GatewayConfig, { pipeline, metrics, logger, tracing, life }: FrontParts) {
  const expected = { issuer: config.SEXTANT_ISSUER, audience: config.SEXTANT_AUDIENCE };
  const tokens = new TokenVerifier(keysFrom(config.SEXTANT_JWKS), expected, Date.now);
  return httpFront({
    tracing,
    identify: ({ headers }) => tokens.identify(headers.authorization),
    run: (params, context) => pipeline.run(params, context),
    onRefused(code, unexpected) {
      metrics.refused(code);
      if (unexpected) logger.error({ err: unexpected }, 'unexpected error before GraphQL');
    },
    corsOrigins: config.SEXTANT_CORS_ORIGINS,
    batchLimit: config.SEXTANT_BATCH_LIMIT,
    timeoutMs: config.SEXTANT_REQUEST_TIMEOUT_MS,
    isDraining: () => life.isDraining,
    sideDoors: [liveness],
  });
}

function pipelineOf(engine: Engine, metrics: GatewayMetrics, logger: Logger): Pipeline {
  const engines: EngineSource = { lease: () => ({ engine, release: () => undefined }) };
  return new Pipeline({
    engines,
    documents: {
      textOf({ query }) {
        if (typeof query === 'string') return query;
        throw new DomainError('INVALID_INPUT', 'send a query');
      },
    },
    guards: [readOnlyGuard, accessGuard(engine.supergraph)],
    interceptors: [],
    observers: [(served) => metrics.observe(served)],
    maskError: errorMask((error) => logger.error({ err: error }, 'unexpected error')),
  });
}

/** For load balancers that know the public port only; the truth is on the operations port. */
const liveness: SideDoor = {
  open(_request, response, path) {
    if (path !== '/health') return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"live"}');
    return true;
  },
};

function clientsOf(config: GatewayConfig, metrics: GatewayMetrics, logger: Logger): SubgraphClients {
  return new SubgraphClients({
    timeoutMs: config.SEXTANT_UPSTREAM_TIMEOUT_MS,
    maxAnswerBytes: config.SEXTANT_UPSTREAM_MAX_BYTES,
    retryRatio: config.SEXTANT_UPSTREAM_RETRY_RATIO,
    logger,
    metrics: new SubgraphMetrics(metrics.registry),
  });
}

/** Not ready until each subgraph has answered once; after that a dead subgraph costs its fields and not the endpoint. */
function subgraphsCheck(transport: SubgraphTransport, supergraph: Supergraph): ReadinessCheck {
  const query = '{ __typename }';
  const context = (): GatewayContext => ({
    identity: { subject: 'gateway', tenantId: 'gateway', roles: [], scopes: [] },
    audience: 'company',
    requestId: 'readiness',
    client: { name: 'gateway', version: null, address: '' },
    deadlineMs: Date.now() + 5_000,
    ledger: { fetches: 0, joined: 0, cached: 0, estimatedCost: null },
  });
  const waitingFor = new Set(supergraph.subgraphs.map(({ name }) => name));
  return {
    name: 'subgraphs',
    async isReady() {
      for (const name of [...waitingFor]) {
        const { errors } = await transport.execute(name, {
          query,
          queryJson: JSON.stringify(query),
          variables: undefined,
          operationName: undefined,
          operationType: 'query',
          context: context(),
        });
        if (!errors) waitingFor.delete(name);
      }
      return waitingFor.size === 0;
    },
  };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new DomainError('CONFIG_INVALID', `SUPERGRAPH_PATH: ${path} cannot be read: run npm run compose`, {
      cause,
    });
  }
}
