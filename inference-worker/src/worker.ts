import { openModelRepository } from '@sextant/model-registry';
import type { Tracing } from '@sextant/telemetry';
import type { Logger } from 'pino';
import { serveModels } from './models/model-serving.js';
import { SessionPool, type SessionPoolOptions } from './onnx/session-pool.js';
import { batchObserver } from './operations/call-spans.js';
import { FailureLog } from './operations/failure-log.js';
import { OperationsServer } from './operations/operations-server.js';
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
  const { config, logger, version, tracing = null, spawn } = options;
  const lifecycle = new WorkerLifecycle();
  const metrics = new WorkerMetrics();
  const failures = new FailureLog(logger);
  const pool = await startPool(config, { metrics, logger, spawn });
  const scheduler = new InferenceScheduler(pool, batchObserver(metrics, tracing), {
    inlineMs: config.INFERENCE_INLINE_MS,
  });
  metrics.watchBacklog(scheduler);
  const repository = await openModelRepository(config.MODEL_REPOSITORY);
  const parts = { repository, pool, scheduler, lifecycle, metrics, logger };
  const { catalogue, watcher, runner, control, idle } = serveModels(config, parts);
  const defaultDeadlineMs = config.INFERENCE_DEFAULT_DEADLINE_MS;
  const server = createGrpcServer(
    {
      metrics,
      failures,
      tracing,
      defaultDeadlineMs,
      catalogue,
      runner,
      control,
      lifecycle,
      serverVersion: version,
    },
    grpcOptions(config),
  );
  const operations = new OperationsServer({ metrics, lifecycle, catalogue, runner, version });
  const close = async (): Promise<void> => {
    lifecycle.startDraining();
    idle.stop();
    await watcher.stop();
    await shutDownGrpc(server, config.SHUTDOWN_GRACE_MS);
    await pool.close();
    await repository.close();
    await operations.close();
    await tracing?.close();
  };
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

function grpcOptions(config: WorkerConfig): GrpcOptions {
  return {
    maxMessageBytes: config.INFERENCE_MAX_MESSAGE_BYTES,
    maxConnectionAgeMs: config.MAX_CONNECTION_AGE_MS,
    connectionGraceMs: config.SHUTDOWN_GRACE_MS,
  };
}

function startPool(
  { INFERENCE_THREADS: threads, INFERENCE_PROVIDERS: providers, INFERENCE_GPU_STRICT: strict }: WorkerConfig,
  { metrics, logger, spawn }: { metrics: WorkerMetrics; logger: Logger; spawn: SessionPoolOptions['spawn'] },
): Promise<SessionPool> {
  return SessionPool.start({
    threads,
    plan: { providers, strict },
    onThreadLost: (cause) => {
      metrics.threadLost();
      logger.error({ err: cause }, 'an inference thread ended and is replaced');
    },
    onProviderFailed: ({ key, during, provider, failure, now }) => {
      const [model = key, version = ''] = key.split(/[@/]/);
      metrics.models.providerFailed(provider);
      if (during === 'run' && now !== null) metrics.models.servedBy(model, version, now);
      const fields = { model, version, provider, reason: failure, now };
      if (during === 'load') logger.warn(fields, 'provider does not take the model');
      else logger.error(fields, 'provider failed under the model');
    },
    ...(spawn ? { spawn } : {}),
  });
}
