import { collectDefaultMetrics, Registry } from 'prom-client';
import type { LaneOptions } from '../scheduling/batch-lane.js';
import {
  type BatchObserver,
  type FinishedBatch,
  type LaneBacklog,
  SHED_REASONS,
  type ShedReason,
} from '../scheduling/batch-observer.js';
import { EventLoopWatch } from './event-loop.js';
import { CellFamily, exposition, type Family, ReadFamily } from './exposition.js';
import { ModelMetrics, type ShadowRun, type UnloadReason } from './model-metrics.js';
import { type CallRecorder, type LaneRecorder, STATUS_NAMES } from './model-statistics.js';
import { type Latencies, RecentLatencies } from './recent-latencies.js';
import { backlogFamilies, loopFamily, threadFamilies } from './state-families.js';
import { tritonFamilies } from './triton-families.js';
import { NO_MODEL, VersionStatistics } from './version-statistics.js';

/** What the gauges read when they are scraped. */
export interface Backlog {
  readonly pendingRows: number;
  /** @param now  performance.now() */
  oldestWaitMs(now: number): number;
  /** one entry a lane, empty lanes included */
  backlog(now: number): Iterable<LaneBacklog>;
}

/** Inference threads by what they do. */
export interface ThreadCounts {
  alive: number;
  busy: number;
}

const counter = (name: string, help: string, labels: readonly string[] = []): CellFamily =>
  new CellFamily('counter', { name, help, labels });

/**
 * The worker's Prometheus metrics; model and version label only what was really served. What counts on the path of a call keeps
 * a {@link CallRecorder} or {@link LaneRecorder}; the other methods look their labels up.
 */
export class WorkerMetrics implements BatchObserver {
  readonly models = new ModelMetrics();
  readonly versions = new VersionStatistics();
  readonly loop = new EventLoopWatch();
  readonly recent = new RecentLatencies(() => latenciesOf(this.versions));
  private readonly processRegistry = new Registry();
  private readonly domainCalls = counter(
    'sextant_worker_rpc_total',
    'calls of sextant.inference.v1.Decisions by rpc, whatever their outcome',
    ['rpc'],
  );
  private readonly refusedExplanations = counter(
    'sextant_inference_explanations_refused_total',
    'calls of sextant.inference.v1.Decisions that were answered without the attributions asked for, by rpc and why',
    ['rpc', 'code'],
  );
  private readonly lostThreads = counter(
    'sextant_inference_threads_lost_total',
    'inference threads that ended and were replaced',
  );
  private readonly retriedBatches = counter(
    'sextant_inference_batch_retries_total',
    'batches that ran again because their thread was lost',
  );
  private readonly shed = counter(
    'sextant_inference_shed_total',
    'requests refused before they queued: queue_full, memory, estimated_wait, or fair_share when they made room for another tenant',
    ['reason'],
  );
  private backlog: Backlog | undefined;
  private threads: (() => ThreadCounts) | undefined;
  private readonly own: readonly Family[];

  constructor() {
    collectDefaultMetrics({ register: this.processRegistry });
    // Prometheus sees no rise of a counter that begins at one.
    for (const reason of SHED_REASONS) this.shed.of(reason);
    const { versions } = this;
    this.own = [
      ...requestFamilies(versions),
      versions.requestSeconds,
      versions.queueSeconds,
      versions.computeSeconds,
      versions.batchRows,
      this.domainCalls,
      this.refusedExplanations,
      ...backlogFamilies(this),
      this.shed,
      ...threadFamilies(this),
      loopFamily(this.loop),
      this.lostThreads,
      this.retriedBatches,
      ...this.models.families,
      ...tritonFamilies(versions, () => this.laneBacklogs()),
    ];
  }

  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;

  /** Every metric of this worker, in the order of the page; those of the process itself apart. */
  get families(): readonly Family[] {
    return this.own;
  }

  /** The page that Prometheus reads. */
  async page(): Promise<string> {
    return exposition(this.own) + (await this.processRegistry.metrics());
  }

  /** Counts the finished calls of one rpc on one version; keep it. Without a model: calls that never came as far. */
  recorder(rpc: string, model = NO_MODEL, version = NO_MODEL): CallRecorder {
    return this.versions.call(rpc, model, version);
  }

  /** Counts the batches of one lane; keep it. */
  laneRecorder({
    model,
    version,
    program,
  }: Pick<LaneOptions, 'model' | 'version' | 'program'>): LaneRecorder {
    return this.versions.lane(model, version, program);
  }

  /** What waits, by lane; empty until a scheduler tells. */
  *laneBacklogs(): Iterable<LaneBacklog> {
    yield* this.backlog?.backlog(performance.now()) ?? [];
  }

  /** Gauges that are read from the queue itself at every scrape. */
  watchBacklog(backlog: Backlog): void {
    this.backlog = backlog;
  }

  /** Gauges that are read from the pool itself at every scrape. */
  watchThreads(threads: () => ThreadCounts): void {
    this.threads = threads;
  }

  /** Begins to measure what is told of the last minute. */
  startWatching(): void {
    this.loop.start();
    this.recent.start();
  }

  stopWatching(): void {
    this.loop.stop();
    this.recent.stop();
  }

  /** Rows that wait for a thread. */
  get pendingRows(): number {
    return this.backlog?.pendingRows ?? 0;
  }

  oldestWaitMs(): number {
    return this.backlog?.oldestWaitMs(performance.now()) ?? 0;
  }

  /** Undefined until a pool is watched. */
  threadCounts(): ThreadCounts | undefined {
    return this.threads?.();
  }

  get threadsLost(): number {
    return this.lostThreads.of().value;
  }

  domainCall(rpc: string): void {
    this.domainCalls.of(rpc).value += 1;
  }

  explanationRefused(rpc: string, code: string): void {
    this.refusedExplanations.of(rpc, code).value += 1;
  }

  batchTaken(lane: LaneOptions, batch: { rows: number; queueMs: readonly number[] }): void {
    const recorder = this.laneRecorder(lane);
    recorder.taken(batch.rows);
    for (const waitedMs of batch.queueMs) recorder.waited(waitedMs);
  }

  batchDone(
    lane: LaneOptions,
    { entries, rows, startedAt, endedAt, inputMs, computeMs }: FinishedBatch,
  ): void {
    const outputMs = Math.max(0, endedAt - startedAt - inputMs - computeMs);
    this.laneRecorder(lane).done({ rows, parts: entries.length, inputMs, inferMs: computeMs, outputMs });
  }

  batchRetried(): void {
    this.retriedBatches.of().value += 1;
  }

  requestShed(reason: ShedReason): void {
    this.shed.of(reason).value += 1;
  }

  threadLost(): void {
    this.lostThreads.of().value += 1;
  }

  modelServing(model: string, version: number | string): void {
    this.models.serving(model, version);
  }

  modelRetired(model: string): void {
    this.models.retired(model);
  }

  modelRefused(model: string): void {
    this.models.refused(model);
  }

  /** A version is on the threads and warm. Call it once a load; {@link modelUnloaded} takes it back. */
  modelLoaded(
    model: string,
    version: string,
    facts: { provider?: string; memoryBytes?: number; loadMs?: number } = {},
  ): void {
    this.versions.loaded(model, version);
    this.models.loaded(model, version, facts);
  }

  /** A call was to run again on a shadow version. */
  shadowRan(run: ShadowRun): void {
    this.models.shadowRan(run);
    this.versions.traffic.of(run.model, run.version).shadowed(run);
  }

  /** A load of a version is off the threads again; with its last load its series end. */
  modelUnloaded(model: string, version: string, reason: UnloadReason): void {
    this.models.unloaded(model, reason);
    if (this.versions.unloaded(model, version)) this.models.forget(model, version);
  }
}

function latenciesOf(versions: VersionStatistics): Map<string, Latencies> {
  return new Map(
    versions.modelNames().map((model) => {
      const { queueSeconds: queue, computeSeconds: compute } = versions.lanesOf(model);
      return [model, { request: versions.requestsOf(model), queue, compute }];
    }),
  );
}

function requestFamilies(versions: VersionStatistics): Family[] {
  const labels = ['rpc', 'model', 'version', 'code'];
  const family = (name: string, help: string, isCounted: (code: string) => boolean): Family =>
    new ReadFamily('counter', { name, help, labels }, function* () {
      for (const { labels: of, counts } of versions.calls()) {
        for (const [at, code] of STATUS_NAMES.entries()) {
          const value = counts[at] ?? 0;
          if (value > 0 && isCounted(code)) yield { labels: [of.rpc, of.model, of.version, code], value };
        }
      }
    });
  return [
    family('sextant_inference_requests_total', 'finished calls; code is the gRPC status', () => true),
    family(
      'sextant_inference_failures_total',
      'finished calls whose status was not OK',
      (code) => code !== 'OK',
    ),
  ];
}
