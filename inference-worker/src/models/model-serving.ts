import type { ModelRepository } from '@sextant/artefacts';
import type { Logger } from 'pino';
import type { CountLedger } from '../monitoring/count-ledger.js';
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
import { ModelRunner, type RunnerParts } from './model-runner.js';
import { OnDemandVersions } from './on-demand-versions.js';
import { RepositoryWatcher } from './repository-watcher.js';
import { ShadowTraffic } from './shadow-traffic.js';

export interface ServingParts {
  repository: ModelRepository;
  pool: SessionPool;
  scheduler: InferenceScheduler;
  lifecycle: WorkerLifecycle;
  metrics: WorkerMetrics;
  /** where the threads' counts of decisions come together */
  counts: CountLedger;
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
  const onDemand = new OnDemandVersions({
    catalogue,
    open: (model, version) => follower.open(model, version),
    most: mode === 'explicit' ? 0 : config.MODEL_ON_DEMAND,
  });
  const isLoading = (model: string, version: string): boolean => {
    const slot = catalogue.slotOf(model, version);
    return slot !== undefined && residency.isLoading(slot);
  };
  return {
    catalogue,
    watcher: new RepositoryWatcher({ repository, follower, catalogue, mode, logger }),
    runner: runnerOf(config, parts, { catalogue, residency, onDemand }),
    control: new ModelControl(mode, { repository, follower, catalogue, isLoading }),
    idle: new IdleSweep(
      catalogue,
      config.MODEL_IDLE_UNLOAD_MS,
      ({ model }) => follower.desiredOf(model)?.serving.idleUnloadMs,
      onDemand,
    ),
  };
}

function loaderOf(
  config: WorkerConfig,
  { repository, pool, scheduler, counts }: ServingParts,
  catalogue: ModelCatalogue,
): ModelLoader {
  const memory = new MemoryBudget(config.MODEL_MEMORY_BYTES || Number.POSITIVE_INFINITY, catalogue);
  return new ModelLoader(
    { repository, pool, scheduler, memory, counts },
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
  parts: Pick<RunnerParts, 'catalogue' | 'residency' | 'onDemand'>,
): ModelRunner {
  const shadow = new ShadowTraffic({
    catalogue: parts.catalogue,
    scheduler,
    isIdle: ({ options }) => pool.hasIdleThreadFor(options),
    onRun: (run) => metrics.shadowRan(run),
    logger,
  });
  return new ModelRunner({
    ...parts,
    scheduler,
    shadow,
    lifecycle,
    onCanary: ({ model, version }) => metrics.models.canaryAnswered(model, version),
    maxRequestRows: config.INFERENCE_MAX_REQUEST_ROWS,
  });
}
