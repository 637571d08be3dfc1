import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { ApolloServer, BaseContext } from '@apollo/server';
import { DomainError } from '@sextant/domain';
import { type DynamicModule, type INestApplication, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLModule, GraphQLSchemaHost } from '@nestjs/graphql';
import type { Tracing } from '@sextant/telemetry';
import type { Registry } from 'prom-client';
import type { SubgraphConfig } from './config.js';
import { type EndpointOptions, graphqlEndpoint } from './graphql-endpoint.js';
import { EventStreamEndpoint } from './event-stream-endpoint.js';
import { graphqlErrorFormatter } from './graphql-error.js';
import { type Logger, nestLogger } from './logger.js';
import { StreamOperations } from './stream-operation.js';
import { listenOn, OperationsServer, type ReadinessCheck } from '@sextant/telemetry';
import { ReplayGuard } from './replay-guard.js';
import { SubgraphGraphqlDriver } from './subgraph-graphql.driver.js';
import { SubgraphHttpAdapter } from './subgraph-http.adapter.js';

export interface RunningSubgraph {
  /** URL of /graphql */
  url: string;
  metricsUrl: string;
  app: INestApplication;
  close(): Promise<void>;
}

export interface SubgraphDefinition {
  /** as in the supergraph: requests are signed for it */
  name: string;
  module: Type | DynamicModule;
  registry: Registry;
  logger: Logger;
  /** closed with the subgraph; without it requests are not traced */
  tracing?: Tracing | null;
  checks(app: INestApplication): ReadinessCheck[];
}

/** Boots one subgraph; used by its main.ts and, on free ports, by its tests. */
export async function startSubgraph(
  definition: SubgraphDefinition,
  config: SubgraphConfig,
): Promise<RunningSubgraph> {
  const logger = nestLogger(definition.logger);
  const adapter = new SubgraphHttpAdapter();
  const app = await NestFactory.create(definition.module, adapter, {
    ...{ bodyParser: false, logger, abortOnError: false },
  });
  await app.init();
  const endpoint = endpointOptions(app, definition, config);
  adapter.answer('/graphql', graphqlEndpoint(endpoint));
  const streams = streamEndpoint(app, definition, endpoint);
  adapter.answer('/graphql/stream', streams.answer);
  const server = app.getHttpServer();
  server.keepAliveTimeout = 65_000; // longer than the gateway's, so that it never reuses a connection we are closing
  const operations = new OperationsServer(definition.registry, definition.checks(app));
  const metricsPort = await operations.listen(config.METRICS_PORT, config.HOST);
  await listenOn(server, config.PORT, config.HOST);
  const { port } = server.address() as AddressInfo;
  definition.logger.info({ port, metricsPort }, `${definition.name} subgraph is ready`);
  const at = `http://${config.HOST}`;
  return {
    url: `${at}:${port}/graphql`,
    metricsUrl: `${at}:${metricsPort}/metrics`,
    app,
    async close() {
      operations.startDraining();
      streams.drain();
      server.closeIdleConnections();
      await app.close();
      await operations.close();
      await definition.tracing?.close();
    },
  };
}

function endpointOptions(
  app: INestApplication,
  { name: receiver, logger, tracing = null }: SubgraphDefinition,
  { SEXTANT_SIGNING_SECRET: secret, SEXTANT_SIGNATURE_MAX_AGE_MS: maxAgeMs }: SubgraphConfig,
): EndpointOptions {
  return {
    apollo: apolloOf(app),
    checking: { receiver, secret, maxAgeMs, now: Date.now, replays: new ReplayGuard(maxAgeMs) },
    tracing,
    onUnexpected: (error) => logger.error({ err: error }, 'a request failed unexpectedly'),
  };
}

function streamEndpoint(
  app: INestApplication,
  { logger, registry }: SubgraphDefinition,
  { checking, onUnexpected }: EndpointOptions,
): EventStreamEndpoint {
  const format = graphqlErrorFormatter((error) =>
    logger.error({ err: error }, 'unexpected error in a stream'),
  );
  const operations = new StreamOperations(app.get(GraphQLSchemaHost).schema, format);
  return new EventStreamEndpoint({ operations, checking, registry, onUnexpected });
}

function apolloOf(app: INestApplication): ApolloServer<BaseContext> {
  const driver = app.get(GraphQLModule).graphQlAdapter;
  if (driver instanceof SubgraphGraphqlDriver) return driver.instance;
  throw new Error('a subgraph imports subgraphGraphqlModule');
}

/**
 * Runs a process until it is told to stop: SIGTERM and SIGINT close it once, a failed start prints its reason and exits with 1.
 *
 * @param start  boots and returns how to close
 */
export function runProcess(name: string, start: () => Promise<{ close(): Promise<void> }>): void {
  let stopping = false;
  const started = start();
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void started
      .then((running) => running.close())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  started.catch((error: unknown) => {
    const reason =
      error instanceof DomainError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    process.stderr.write(`${name}: ${reason}\n`);
    process.exit(1);
  });
}
