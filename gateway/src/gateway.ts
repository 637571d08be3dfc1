import type { AddressInfo } from 'node:net';
import { createLogger, listenOn, type Logger, OperationsServer, type Tracing } from '@sextant/platform';
import type { Registry } from 'prom-client';
import { accessGuard } from './access/access.guard.js';
import { type KeptAnswers, keptAnswers } from './caching/answers-kept.js';
import type { EngineSource } from './engine/engine.js';
import { FederatedEngine } from './engine/federated-engine.js';
import type { GatewayConfig } from './gateway.config.js';
import { httpFront, type SideDoor } from './http/http-front.js';
import { graphiqlDoor } from './graphiql/graphiql.door.js';
import { drainServer, gatewayServer } from './http/http-server.js';
import { readOnlyGuard } from './http/read-only.guard.js';
import { type Security, startSecurity } from './identity/security.js';
import { boundedDocument, noIncrementalDelivery } from './limits/document-rules.js';
import { documentLimits } from './limits/document-limits.js';
import { type Protections, protections } from './limits/protections.js';
import { GatewayMetrics } from './observe/gateway-metrics.js';
import { HttpMetrics } from './observe/http-metrics.js';
import { observersOf } from './observe/observers.js';
import { subgraphsCheck } from './observe/subgraphs-check.js';
import { errorMask } from './pipeline/error-mask.js';
import type { OperationObserver } from './pipeline/operation.js';
import { Pipeline } from './pipeline/pipeline.js';
import { subgraphEndpoints } from './subgraphs/subgraph-endpoints.js';
import { SubgraphMetrics } from './subgraphs/subgraph-metrics.js';
import { HttpSubgraphTransport, SubgraphClients } from './subgraphs/subgraph.transport.js';
import type { BuiltEngine } from './supergraph/live-engines.js';
import { type RunningStreams, startStreams } from './streams/start-streams.js';
import { startEngines } from './supergraph/start-engines.js';
import { readSupergraph } from './supergraph/supergraph.js';

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
  warnOfOpenAccess(config, logger);
  const security = await startSecurity(config, logger);
  const metrics = new GatewayMetrics();
  const { engines, close: closeEngines } = await followSupergraph(config, { security, metrics, logger });
  const protecting = protections(config, logger);
  metrics.watchPlans(() => engines.current.engine.planCounts);
  const observers = observersOf(config, metrics, logger);
  const pipeline = pipelineOf(engines, { protecting, security, observers, logger });
  const life = { isDraining: false };
  const streams = streamsOf(config, { pipeline, protecting, security, metrics, logger, tracing, engines });
  const front = frontOf(config, { pipeline, protecting, security, metrics, logger, tracing, life, streams });
  const server = gatewayServer((request, response) => void front(request, response));
  new HttpMetrics(metrics.registry).watch(server);
  streams.listen(server);
  const operations = new OperationsServer(metrics.registry, [...security.checks, subgraphsCheck(engines)]);
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
      streams.close();
      await drainServer(server, config.SEXTANT_DRAIN_MS);
      await closeEngines();
      protecting.close();
      await security.close();
      await operations.close();
      await tracing?.close();
    },
  };
}

/** The engine of the supergraph in force, whichever that is, before it the cache of all of them. */
async function followSupergraph(
  config: GatewayConfig,
  { security, metrics: { registry }, logger }: Pick<FrontParts, 'security' | 'metrics' | 'logger'>,
) {
  const clients = clientsOf(config, registry, logger);
  const answers = keptAnswers({
    ...{ maxBytes: config.SEXTANT_CACHE_BYTES, timeoutMs: config.MONGODB_TIMEOUT_MS },
    ...{ db: security.db, registry, logger },
  });
  const { engines, close } = await startEngines({
    place: config.SUPERGRAPH_PATH,
    authorization: config.SUPERGRAPH_AUTHORIZATION,
    pollMs: config.SUPERGRAPH_POLL_MS,
    build: engineBuilder(config, clients, answers),
    registry,
    logger,
  });
  return {
    engines,
    close(): Promise<void> {
      close();
      return answers.close();
    },
  };
}

function warnOfOpenAccess({ SEXTANT_OPEN_ACCESS }: GatewayConfig, logger: Logger): void {
  if (SEXTANT_OPEN_ACCESS !== undefined)
    logger.warn('SEXTANT_OPEN_ACCESS: everybody is served without a token and no rule is enforced');
}

interface FrontParts {
  pipeline: Pipeline;
  protecting: Protections;
  security: Security;
  metrics: GatewayMetrics;
  logger: Logger;
  tracing: Tracing | null;
  life: { isDraining: boolean };
  streams: RunningStreams;
}

function frontOf(
  config: GatewayConfig,
  { pipeline, protecting, security, metrics, logger, tracing, life, streams }: FrontParts,
) {
  return httpFront({
    tracing,
    identify: (request, audience) => security.identify(request, audience),
    onBody: protecting.onBody,
    run: (params, context) => pipeline.run(params, context),
    onRefused: refusals(metrics, logger),
    corsOrigins: config.SEXTANT_CORS_ORIGINS,
    batchLimitOf: (identity, audience) =>
      protecting.clients.settingsFor(identity, audience).batching ? config.SEXTANT_BATCH_LIMIT : 0,
    timeoutMs: config.SEXTANT_REQUEST_TIMEOUT_MS,
    isDraining: () => life.isDraining,
    sideDoors: [liveness, ...graphiqlOf(config, logger), streams.door],
  });
}

function streamsOf(
  config: GatewayConfig,
  parts: Pick<FrontParts, 'pipeline' | 'protecting' | 'security' | 'metrics' | 'logger' | 'tracing'> & {
    engines: EngineSource;
  },
): RunningStreams {
  const { pipeline, protecting, security, metrics, logger, tracing, engines } = parts;
  return startStreams(config, {
    ...{ pipeline, engines, registry: metrics.registry, timeoutMs: config.SEXTANT_REQUEST_TIMEOUT_MS },
    identify: (request, audience) => security.identify(request, audience),
    onBody: protecting.onBody,
    identifyAgain: (request, audience) => security.identifyAgain(request, audience),
    onRefused: refusals(metrics, logger),
    tracing,
  });
}

function refusals(metrics: GatewayMetrics, logger: Logger) {
  return (code: string, unexpected?: unknown): void => {
    metrics.refused(code);
    if (unexpected) logger.error({ err: unexpected }, 'unexpected error before GraphQL');
  };
}

/** Everything that depends on the supergraph; made anew for each. */
function engineBuilder(config: GatewayConfig, clients: SubgraphClients, answers: KeptAnswers) {
  const limits = documentLimits(config);
  const isOpen = config.SEXTANT_OPEN_ACCESS !== undefined;
  return (sdl: string): BuiltEngine => {
    const supergraph = readSupergraph(sdl, { isOpen });
    const endpoints = subgraphEndpoints(supergraph.subgraphs, config, { isOpen });
    const http = new HttpSubgraphTransport(endpoints, clients);
    try {
      const transport = answers.keep(sdl, http);
      const engine = new FederatedEngine({
        supergraph,
        transport,
        rules: [boundedDocument(limits), noIncrementalDelivery],
        checkText: (text) => limits.ofText(text),
      });
      return { engine, transport, dispose: () => http.close() };
    } catch (error) {
      http.close();
      throw error;
    }
  };
}

function pipelineOf(
  engines: EngineSource,
  {
    protecting,
    security,
    observers,
    logger,
  }: Pick<FrontParts, 'protecting' | 'security' | 'logger'> & { observers: readonly OperationObserver[] },
): Pipeline {
  const { clients, documents, onRefusedDocument, guards, interceptors } = protecting;
  return new Pipeline({
    engines,
    documents,
    onRefusedDocument,
    guards: [readOnlyGuard, accessGuard(), ...guards],
    interceptors: [...interceptors, ...security.interceptors],
    observers: [...observers, ...security.observers],
    showsSchema: ({ identity, audience }) => clients.settingsFor(identity, audience).introspection,
    maskError: errorMask((error) => logger.error({ err: error }, 'unexpected error')),
  });
}

/** GraphiQL where it is wanted. */
function graphiqlOf(config: GatewayConfig, logger: Logger): SideDoor[] {
  if (config.SEXTANT_GRAPHIQL !== '1') return [];
  const onProblem = (err: unknown): void => logger.error({ err }, 'GraphiQL cannot be shown');
  return [graphiqlDoor({ samples: config.SEXTANT_GRAPHIQL_SAMPLES ?? null, onProblem })];
}

/** For load balancers that know the public port only; the truth is on the operations port. */
const liveness: SideDoor = {
  open(_request, response, path) {
    if (path !== '/health') return false;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"live"}');
    return true;
  },
};

function clientsOf(config: GatewayConfig, registry: Registry, logger: Logger): SubgraphClients {
  return new SubgraphClients({
    timeoutMs: config.SEXTANT_UPSTREAM_TIMEOUT_MS,
    maxAnswerBytes: config.SEXTANT_UPSTREAM_MAX_BYTES,
    retryRatio: config.SEXTANT_UPSTREAM_RETRY_RATIO,
    logger,
    metrics: new SubgraphMetrics(registry),
  });
}
