import type { Clock } from '@sextant/domain';
import type { Logger } from '@sextant/platform';
import type { CustomerMetrics } from './metrics.js';

/** Injection token of {@link Surroundings}. */
export const SURROUNDINGS = Symbol('surroundings');

/** What every service of this process lives with. */
export interface Surroundings {
  clock: Clock;
  logger: Logger;
  metrics: CustomerMetrics;
  foldingTimes: FoldingTimes;
  /** longest that a call may wait for the store, milliseconds */
  storeTimeoutMs: number;
}

/** How long folding waits for what, in milliseconds. */
export interface FoldingTimes {
  /** ingestion counts as idle after it */
  idleMs: number;
  /** no batch waits longer in memory, however busy ingestion is */
  maxWaitMs: number;
  /** how often the outbox is looked at for batches that nobody folded */
  recoveryIntervalMs: number;
  /** batches older than it are folded by whoever finds them */
  recoveryAgeMs: number;
}

export const DEFAULT_FOLDING_TIMES: FoldingTimes = {
  idleMs: 200,
  maxWaitMs: 30_000,
  recoveryIntervalMs: 15_000,
  recoveryAgeMs: 60_000,
};
