import type { ModelCatalogue } from '../models/model-catalogue.js';
import type { VersionSlot } from '../models/version-slot.js';
import { type BatchStatistics, type Duration, ModelStatistics } from './model-statistics.js';
import type { VersionStatistics } from './version-statistics.js';

export interface StatisticDuration {
  count: number;
  ns: number;
}

/** `ModelStatistics` of Triton's statistics extension. */
export interface ReportedStatistics {
  name: string;
  version: string;
  /** epoch milliseconds; 0 before the first */
  lastInference: number;
  inferenceCount: number;
  executionCount: number;
  inferenceStats: Record<
    'success' | 'fail' | 'queue' | 'computeInput' | 'computeInfer' | 'computeOutput',
    StatisticDuration
  >;
  batchStats: ReportedBatch[];
  memoryUsage: { type: 'CPU' | 'GPU'; id: number; byteSize: number }[];
}

export type ReportedBatch = { batchSize: number } & Record<
  'computeInput' | 'computeInfer' | 'computeOutput',
  StatisticDuration
>;

/**
 * Statistics of the versions that calls can reach.
 *
 * @param wanted.name     empty: of every model
 * @param wanted.version  empty: of every version
 * @throws DomainError MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND
 */
export function reportStatistics(
  catalogue: ModelCatalogue,
  versions: VersionStatistics,
  wanted: { name: string; version: string },
): ReportedStatistics[] {
  return slotsOf(catalogue, wanted).map((slot) =>
    reported(versions.find(slot.model, slot.version) ?? new ModelStatistics(slot.model, slot.version), slot),
  );
}

function slotsOf(
  catalogue: ModelCatalogue,
  { name, version }: { name: string; version: string },
): VersionSlot[] {
  if (name === '') return catalogue.slots();
  const slot = catalogue.get(name, version);
  return version === '' ? catalogue.slotsOf(name) : [slot];
}

function reported(of: ModelStatistics, { served, memoryBytes }: VersionSlot): ReportedStatistics {
  const type = served && served.provider !== 'cpu' ? 'GPU' : 'CPU';
  return {
    name: of.model,
    version: of.version,
    lastInference: of.lastInferenceAt,
    inferenceCount: of.inferenceCount,
    executionCount: of.executionCount,
    inferenceStats: {
      success: nanoseconds(of.success),
      fail: nanoseconds(of.fail),
      queue: nanoseconds(of.queue),
      computeInput: nanoseconds(of.computeInput),
      computeInfer: nanoseconds(of.computeInfer),
      computeOutput: nanoseconds(of.computeOutput),
    },
    batchStats: [...of.batches].sort(([a], [b]) => a - b).map(([rows, batch]) => batchOf(rows, batch)),
    memoryUsage: served ? [{ type, id: 0, byteSize: memoryBytes }] : [],
  };
}

function batchOf(batchSize: number, batch: BatchStatistics): ReportedBatch {
  return {
    batchSize,
    computeInput: nanoseconds(batch.computeInput),
    computeInfer: nanoseconds(batch.computeInfer),
    computeOutput: nanoseconds(batch.computeOutput),
  };
}

function nanoseconds({ count, ms }: Duration): StatisticDuration {
  return { count, ns: Math.round(ms * 1e6) };
}
