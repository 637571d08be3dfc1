import { openModelRepository } from '@sextant/model-registry';
import type { Tracing } from '@sextant/telemetry';
import type { Logger } from 'pino';
import { serveModels } from './models/model-serving.js';
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

type WorkerParts = Awaited<ReturnType<typeof assemble>>;

async function assemble({ config, logger, version, tracing = null, spawn }: WorkerOptions) {
  const lifecycle = new WorkerLifecycle();
  const metrics = new WorkerMetrics();
  const failures = new FailureLog(logger);
  const pool = await SessionPool.start({
    threads: config.INFERENCE_THREADS,
    plan: { providers: config.INFERENCE_PROVIDERS, strict: config.INFERENCE_GPU_STRICT },
    ...poolObserver(metrics, failures, logger),
    ...(spawn && { spawn }),
  });
  metrics.watchThreads(() => pool.counts());
  const inlineMs = config.INFERENCE_INLINE_MS;
  const scheduler = new InferenceScheduler(pool, batchObserver(metrics, tracing), { inlineMs });
  metrics.watchBacklog(scheduler);
  const repository = await openModelRepository(config.MODEL_REPOSITORY);
  const models = serveModels(config, { repository, pool, scheduler, lifecycle, metrics, logger });
  const { catalogue, control, runner } = models;
  metrics.models.watchRefused(() => catalogue.refused().map(([model]) => model));
  const defaultDeadlineMs = config.INFERENCE_DEFAULT_DEADLINE_MS;
  const calls = { metrics, failures, tracing, defaultDeadlineMs, serverVersion: version };
  const server = createGrpcServer({ ...calls, ...models, lifecycle }, grpcOptions(config));
  const operations = new OperationsServer({ metrics, lifecycle, catalogue, control, runner, version });
  return { lifecycle, pool, repository, ...models, server, operations, tracing };
}

async function closeWorker(parts: WorkerParts, graceMs: number): Promise<void> {
  const { lifecycle, idle, watcher, server, pool, repository, operations, tracing } = parts;
  lifecycle.startDraining();
  idle.stop();
  await watcher.stop();
  await shutDownGrpc(server, graceMs);
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
