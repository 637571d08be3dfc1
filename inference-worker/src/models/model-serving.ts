import type { ModelRepository } from '@sextant/artefacts';
import type { Logger } from 'pino';
import type { SessionPool } from '../onnx/session-pool.js';
import type { WorkerLifecycle } from '../operations/worker-lifecycle.js';
import type { WorkerMetrics } from '../operations/worker-metrics.js';
import type { InferenceScheduler } from '../scheduling/inference-scheduler.js';
import type { WorkerConfig } from '../worker-config.js';
import { IdleSweep } from './idle-sweep.js';
import { MemoryBudget } from './memory-budget.js';
import { ModelCatalogue } from './model-catalogue.js';
import { ModelControl } from './model-control.js';
import { ModelFollower } from './model-follower.js';
import { ModelLoader } from './model-loader.js';
import { ModelResidency } from './model-residency.js';
import { ModelRunner } from './model-runner.js';
import { RepositoryWatcher } from './repository-watcher.js';
import { ShadowTraffic } from './shadow-traffic.js';

export interface ServingParts {
  repository: ModelRepository;
  pool: SessionPool;
  scheduler: InferenceScheduler;
  lifecycle: WorkerLifecycle;
  metrics: WorkerMetrics;
  logger: Logger;
}

export interface ModelServing {
  catalogue: ModelCatalogue;
  watcher: RepositoryWatcher;
  runner: ModelRunner;
  control: ModelControl;
  idle: IdleSweep;
}

/** From the repository to answers: what watches and loads versions, and what runs them. */
export function serveModels(config: WorkerConfig, parts: ServingParts): ModelServing {
  const { repository, metrics, logger } = parts;
  const mode = config.MODEL_CONTROL_MODE;
  const catalogue = new ModelCatalogue();
  const loader = loaderOf(config, parts, catalogue);
  const follower = new ModelFollower({ repository, loader, catalogue, metrics, logger });
  const residency = new ModelResidency((slot) => follower.reload(slot));
  const isLoading = (model: string, version: string): boolean => {
    const slot = catalogue.slotOf(model, version);
    return slot !== undefined && residency.isLoading(slot);
  };
  return {
    catalogue,
    watcher: new RepositoryWatcher({ repository, follower, catalogue, mode, logger }),
    runner: runnerOf(config, parts, { catalogue, residency }),
    control: new ModelControl(mode, { repository, follower, catalogue, isLoading }),
    idle: new IdleSweep(
      catalogue,
      config.MODEL_IDLE_UNLOAD_MS,
      ({ model }) => follower.desiredOf(model)?.serving.idleUnloadMs,
    ),
  };
}

function loaderOf(
  config: WorkerConfig,
  { repository, pool, scheduler }: ServingParts,
  catalogue: ModelCatalogue,
): ModelLoader {
  const memory = new MemoryBudget(config.MODEL_MEMORY_BYTES || Number.POSITIVE_INFINITY, catalogue);
  return new ModelLoader(
    { repository, pool, scheduler, memory },
    {
      maxBatchRows: config.INFERENCE_MAX_BATCH_ROWS,
      maxPendingRows: config.INFERENCE_QUEUE_ROWS,
      sessions: config.INFERENCE_THREADS,
      inlineMs: config.INFERENCE_INLINE_MS,
      allowPlain: config.MODEL_AUTOCOMPLETE,
    },
  );
}

function runnerOf(
  config: WorkerConfig,
  { pool, scheduler, lifecycle, metrics, logger }: ServingParts,
  { catalogue, residency }: { catalogue: ModelCatalogue; residency: ModelResidency },
): ModelRunner {
  const shadow = new ShadowTraffic({
    catalogue,
    scheduler,
    isIdle: ({ options }) => pool.hasIdleThreadFor(options),
    onRun: (run) => metrics.models.shadowRan(run),
    logger,
  });
  return new ModelRunner({
    catalogue,
    residency,
    scheduler,
    shadow,
    lifecycle,
    onCanary: ({ model, version }) => metrics.models.canaryAnswered(model, version),
    maxRequestRows: config.INFERENCE_MAX_REQUEST_ROWS,
  });
}
