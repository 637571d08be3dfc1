import { openModelRepository } from '@sextant/model-registry';
import type { Tracing } from '@sextant/telemetry';
import type { Logger } from 'pino';
import { serveModels } from './models/model-serving.js';
import { CountLedger } from './monitoring/count-ledger.js';
import { MonitoringFeed } from './monitoring/monitoring-feed.js';
import { MonitoringStreams } from './monitoring/monitoring.handler.js';
import { uncountedOf, roleOf, untilNothingRuns } from './monitoring/served-versions.js';
import { SessionPool, type SessionPoolOptions } from './onnx/session-pool.js';
import { batchObserver } from './operations/call-spans.js';
import { FailureLog } from './operations/failure-log.js';
import { OperationsServer } from './operations/operations-server.js';
import { poolObserver } from './operations/pool-observer.js';
import { WorkerLifecycle } from './operations/worker-lifecycle.js';
import { WorkerMetrics } from './operations/worker-metrics.js';
import { InferenceScheduler } from './scheduling/inference-scheduler.js';
import { createGrpcServer, type GrpcOptions, listenGrpc, shutDownGrpc } from './server.js';
import type { WorkerConfig } from './worker-config.js';

export interface RunningWorker {
  grpcPort: number;
  metricsPort: number;
  /** settled once the first look at the repository is done */
  firstScan: Promise<void>;
  /** not ready → no new calls → running calls finish → threads end */
  close(): Promise<void>;
}

export interface WorkerOptions {
  config: WorkerConfig;
  logger: Logger;
  version: string;
  /** closed with the worker; without it calls are not traced */
  tracing?: Tracing | null;
  /** how a thread is started, where that is not the usual way */
  spawn?: SessionPoolOptions['spawn'];
}

/**
 * Starts the worker: it listens at once and is ready after the first look at the model repository.
 *
 * @throws DomainError CONFIG_INVALID when a port is taken; ThreadLostError when no inference thread can start
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { config, logger } = options;
  const parts = await assemble(options);
  const { server, operations, lifecycle, catalogue, watcher, idle } = parts;
  const close = (): Promise<void> => closeWorker(parts, config.SHUTDOWN_GRACE_MS);
  try {
    const grpcPort = await listenGrpc(server, config.PORT, config.HOST);
    const metricsPort = await operations.listen(config.METRICS_PORT, config.HOST);
    idle.start();
    const firstScan = watcher.start(config.MODEL_POLL_MS).then(() => {
      lifecycle.markReady();
      logger.info({ models: catalogue.list().map(({ key }) => key) }, 'ready');
    });
    return { grpcPort, metricsPort, firstScan, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Of the grace at the end, the time after which watchers are told what is known by then. */
const WATCHERS_SHARE = 0.9;

type WorkerParts = Awaited<ReturnType<typeof assemble>>;

async function assemble({ config, logger, version, tracing = null, spawn }: WorkerOptions) {
  const lifecycle = new WorkerLifecycle();
  const metrics = new WorkerMetrics();
  const failures = new FailureLog(logger);
  const counts = new CountLedger();
  const pool = await SessionPool.start({
    threads: config.INFERENCE_THREADS,
    plan: { providers: config.INFERENCE_PROVIDERS, strict: config.INFERENCE_GPU_STRICT },
    ...poolObserver(metrics, failures, logger),
    onCounts: (taken) => taken.forEach((each) => counts.add(each)),
    ...(spawn && { spawn }),
  });
  metrics.watchThreads(() => pool.counts());
  const inlineMs = config.INFERENCE_INLINE_MS;
  const scheduler = new InferenceScheduler(pool, batchObserver(metrics, tracing), { inlineMs });
  metrics.watchBacklog(scheduler);
  const repository = await openModelRepository(config.MODEL_REPOSITORY);
  const models = serveModels(config, { repository, pool, scheduler, lifecycle, metrics, counts, logger });
  const { catalogue, control, runner } = models;
  metrics.models.watchRefused(() => catalogue.refused().map(([model]) => model));
  const { traffic } = metrics.versions;
  traffic.roleOf = (model, of) => roleOf(catalogue, model, of);
  const feed = new MonitoringFeed({
    counts,
    traffic,
    collect: () => pool.count(),
    uncounted: () => uncountedOf(catalogue),
  });
  const monitoring = new MonitoringStreams(feed);
  const defaultDeadlineMs = config.INFERENCE_DEFAULT_DEADLINE_MS;
  const calls = { metrics, failures, tracing, defaultDeadlineMs, serverVersion: version };
  const server = createGrpcServer({ ...calls, ...models, lifecycle, monitoring }, grpcOptions(config));
  const operations = new OperationsServer({ metrics, lifecycle, catalogue, control, runner, version });
  return { lifecycle, pool, repository, ...models, server, operations, monitoring, tracing };
}

async function closeWorker(parts: WorkerParts, graceMs: number): Promise<void> {
  const { lifecycle, idle, watcher, catalogue, server, pool, repository, operations, monitoring, tracing } =
    parts;
  lifecycle.startDraining();
  idle.stop();
  await watcher.stop();
  // Calls in progress end first, so that the last message of each watcher holds them.
  const isShut = shutDownGrpc(server, graceMs);
  await untilNothingRuns(catalogue, graceMs * WATCHERS_SHARE);
  await monitoring.finish();
  await isShut;
  await pool.close();
  await repository.close();
  await operations.close();
  await tracing?.close();
}

function grpcOptions(config: WorkerConfig): GrpcOptions {
  return {
    maxMessageBytes: config.INFERENCE_MAX_MESSAGE_BYTES,
    maxStreams: config.INFERENCE_MAX_STREAMS,
    maxConnectionAgeMs: config.MAX_CONNECTION_AGE_MS,
    connectionGraceMs: config.SHUTDOWN_GRACE_MS,
  };
}
