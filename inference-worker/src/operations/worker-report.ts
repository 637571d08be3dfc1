import type { ModelCatalogue, Routing } from '../models/model-catalogue.js';
import type { VersionSlot } from '../models/version-slot.js';
import { DEVICE_OF, type ProviderAttempt } from '../onnx/providers.js';
import type { LoopDelay } from './event-loop.js';
import type { Histogram } from './histogram.js';
import { ModelStatistics } from './model-statistics.js';
import type { WorkerLifecycle, WorkerState } from './worker-lifecycle.js';
import type { ThreadCounts, WorkerMetrics } from './worker-metrics.js';

export interface VersionReport {
  version: string;
  /** live, canary 10 %, shadow 5 %, aliases; empty: by number only */
  roles: string[];
  isInMemory: boolean;
  trainedAt: string;
  device: string;
  /** providers that did not take it */
  attempts: readonly ProviderAttempt[];
  memoryBytes: number;
  pendingRows: number;
  oldestWaitMs: number;
  statistics: ModelStatistics;
}

/** Seconds, of the last minute; null without observations. */
export interface Quantiles {
  p50: number | null;
  p99: number | null;
}

export interface ModelReport {
  model: string;
  versions: VersionReport[];
  queue: Quantiles;
  compute: Quantiles;
  request: Quantiles;
  /** batches by rows: upper bound and count; the last bound is Infinity */
  batchSizes: { upTo: number; count: number }[];
}

export interface WorkerReport {
  version: string;
  state: WorkerState;
  uptimeSeconds: number;
  threads: ThreadCounts | undefined;
  threadsLost: number;
  loop: LoopDelay;
  memory: { rss: number; heap: number; external: number; models: number };
  pendingRows: number;
  models: ModelReport[];
  refused: { model: string; version: number; reason: string; at: number }[];
}

export interface ReportSources {
  metrics: WorkerMetrics;
  lifecycle: WorkerLifecycle;
  catalogue: ModelCatalogue;
  version: string;
}

/** What an operator wants to see of the worker at a glance. */
export function reportWorker({ metrics, lifecycle, catalogue, version }: ReportSources): WorkerReport {
  const { rss, heapUsed, external } = process.memoryUsage();
  const slots = catalogue.slots();
  const models = slots.reduce((sum, slot) => sum + (slot.served ? slot.memoryBytes : 0), 0);
  return {
    version,
    state: lifecycle.state,
    uptimeSeconds: process.uptime(),
    threads: metrics.threadCounts(),
    threadsLost: metrics.threadsLost,
    loop: metrics.loop.delay(),
    memory: { rss, heap: heapUsed, external, models },
    pendingRows: metrics.pendingRows,
    models: [...new Set(slots.map(({ model }) => model))]
      .sort()
      .map((model) => modelReport(model, catalogue, metrics)),
    refused: catalogue.refused().map(([model, refusal]) => ({ model, ...refusal })),
  };
}

function modelReport(model: string, catalogue: ModelCatalogue, metrics: WorkerMetrics): ModelReport {
  const { versions } = metrics;
  const { rows } = versions.lanesOf(model);
  const recent = metrics.recent.of(model);
  const counts = [...rows.cumulative(), rows.count];
  return {
    model,
    versions: catalogue
      .slotsOf(model)
      .map((slot) => versionReport(slot, catalogue.routingOf(model), metrics)),
    queue: quantilesOf(recent?.queue),
    compute: quantilesOf(recent?.compute),
    request: quantilesOf(recent?.request),
    batchSizes: [...rows.bounds, Number.POSITIVE_INFINITY].map((upTo, at) => ({
      upTo,
      count: (counts[at] ?? 0) - (counts[at - 1] ?? 0),
    })),
  };
}

function versionReport(
  slot: VersionSlot,
  routing: Routing | undefined,
  metrics: WorkerMetrics,
): VersionReport {
  const { model, version, served, memoryBytes } = slot;
  const lanes = [...metrics.laneBacklogs()].filter(
    (lane) => lane.model === model && lane.version === version,
  );
  return {
    version,
    roles: routing ? rolesOf(version, routing) : [],
    isInMemory: served !== null,
    trainedAt: served?.trainedAt ?? '',
    device: served ? DEVICE_OF[served.provider] : '',
    attempts: served?.attempts ?? [],
    memoryBytes,
    pendingRows: lanes.reduce((sum, lane) => sum + lane.pendingRows, 0),
    oldestWaitMs: Math.max(0, ...lanes.map((lane) => lane.oldestWaitMs)),
    statistics: metrics.versions.find(model, version) ?? new ModelStatistics(model, version),
  };
}

function rolesOf(version: string, { live, aliases, canary, shadow }: Routing): string[] {
  const percent = (share: number): string => `${Math.round(share * 1000) / 10} %`;
  return [
    ...(live === version ? ['live'] : []),
    ...(canary?.version === version ? [`canary ${percent(canary.share)}`] : []),
    ...(shadow?.version === version ? [`shadow ${percent(shadow.share)}`] : []),
    ...[...aliases].flatMap(([alias, of]) => (of === version ? [alias] : [])),
  ];
}

function quantilesOf(histogram: Histogram | undefined): Quantiles {
  return { p50: histogram?.quantile(0.5) ?? null, p99: histogram?.quantile(0.99) ?? null };
}
