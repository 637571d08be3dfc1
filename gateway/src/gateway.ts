import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DomainError, type Identity } from '@sextant/domain';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { unifiedGraphHandler } from '@graphql-hive/router-runtime';
import {
  createLogger,
  listenOn,
  type Logger,
  OperationsServer,
  type ReadinessCheck,
  type Tracing,
} from '@sextant/platform';
import { parse } from 'graphql';
import { errorMask } from './pipeline/error-mask.js';
import { GatewayMetrics } from './observe/gateway-metrics.js';
import type { GatewayConfig } from './gateway.config.js';
import { documentLimits, fieldAuthorisation, fittedVariables, operationMetrics } from './gateway.plugins.js';
import { httpFront } from './http/http-front.js';
import { SubgraphTransport } from './subgraphs/subgraph.transport.js';
import { readSupergraph, type Supergraph } from './supergraph/supergraph.js';
import { keysFrom, TokenVerifier } from './identity/token-verifier.js';

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
  const transport = transportOf(config, logger);
  const metrics = new GatewayMetrics();
  const runtime = hiveRuntime({
    supergraph,
    transport,
    metrics,
    logger,
    graphiql: config.SEXTANT_GRAPHIQL === '1',
  });
  await runtime.getSchema();
  const front = frontOf(config, { runtime, metrics, logger, tracing });
  const server = createServer(
    { keepAliveTimeout: 65_000, requestTimeout: 60_000 },
    (request, response) => void front(request, response),
  );
  const operations = new OperationsServer(metrics.registry, [subgraphsCheck(transport, supergraph)]);
  const metricsPort = await operations.listen(config.METRICS_PORT, config.HOST);
  await listenOn(server, config.PORT, config.HOST);
  const { port } = server.address() as AddressInfo;
  logger.info({ port, metricsPort }, 'gateway is ready');
  return {
    url: `http://${config.HOST}:${port}/graphql`,
    metricsUrl: `http://${config.HOST}:${metricsPort}/metrics`,
    async close() {
      operations.startDraining();
      await drain(server, config.SEXTANT_DRAIN_MS);
      await runtime[Symbol.asyncDispose]();
      transport.close();
      await operations.close();
      await tracing?.close();
    },
  };
}

interface FrontParts {
  runtime: ReturnType<typeof hiveRuntime>;
  metrics: GatewayMetrics;
  logger: Logger;
  tracing: Tracing | null;
}

function frontOf(config: GatewayConfig, { runtime, metrics, logger, tracing }: FrontParts) {
  const expected = { issuer: config.SEXTANT_ISSUER, audience: config.SEXTANT_AUDIENCE };
  const tokens = new TokenVerifier(keysFrom(config.SEXTANT_JWKS), expected, Date.now);
  return httpFront({
    tracing,
    identify: (authorization) => tokens.identify(authorization),
    serve: (request, response, context) => runtime(request, response, context),
    onRefused(code, unexpected) {
      metrics.refused(code);
      if (unexpected) logger.error({ err: unexpected }, 'unexpected error before GraphQL');
    },
    corsOrigins: config.SEXTANT_CORS_ORIGINS,
    graphiql: config.SEXTANT_GRAPHIQL === '1',
  });
}

function transportOf(config: GatewayConfig, logger: Logger): SubgraphTransport {
  return new SubgraphTransport({
    endpoints: {
      customer: config.CUSTOMER_URL,
      campaign: config.CAMPAIGN_URL,
      prediction: config.PREDICTION_URL,
    },
    secret: config.SEXTANT_SIGNING_SECRET,
    timeoutMs: config.SEXTANT_UPSTREAM_TIMEOUT_MS,
    logger,
  });
}

interface RuntimeParts {
  supergraph: Supergraph;
  transport: SubgraphTransport;
  metrics: GatewayMetrics;
  logger: Logger;
  graphiql: boolean;
}

function hiveRuntime({ supergraph, transport, metrics, logger, graphiql }: RuntimeParts) {
  return createGatewayRuntime({
    supergraph: supergraph.sdl,
    unifiedGraphHandler,
    transports: {
      http: { getSubgraphExecutor: ({ subgraphName }) => transport.executorOf(subgraphName.toLowerCase()) },
    },
    __experimental__batchExecution: false,
    plugins: () => [
      documentLimits(),
      operationMetrics(metrics),
      fieldAuthorisation(supergraph),
      fittedVariables(),
    ],
    maskedErrors: { maskError: errorMask((error) => logger.error({ err: error }, 'unexpected error')) },
    logging: false,
    subgraphErrors: false,
    requestId: false,
    cors: false,
    batching: false,
    landingPage: false,
    graphiql: graphiql && { title: 'Sextant' },
  });
}

/** Not ready until each subgraph has answered once; after that a dead subgraph costs its fields and not the endpoint. */
function subgraphsCheck(transport: SubgraphTransport, supergraph: Supergraph): ReadinessCheck {
  const document = parse('{ __typename }');
  const nobody: Identity = { subject: 'gateway', tenantId: 'gateway', roles: [], scopes: [] };
  const context = { identity: nobody, requestId: 'readiness' };
  const waitingFor = new Map(supergraph.subgraphs.map((name) => [name, transport.executorOf(name)]));
  return {
    name: 'subgraphs',
    async isReady() {
      for (const [name, execute] of [...waitingFor]) {
        const { errors } = await execute({ document, context, operationType: 'query' });
        if (!errors) waitingFor.delete(name);
      }
      return waitingFor.size === 0;
    },
  };
}

async function drain(server: Server, drainMs: number): Promise<void> {
  const force = setTimeout(() => server.closeAllConnections(), drainMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(force);
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
