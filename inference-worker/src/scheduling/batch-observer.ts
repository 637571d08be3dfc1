import type { Program } from '../onnx/thread-messages.js';
import type { Entry, LaneOptions } from './batch-lane.js';

/** Why a request was refused before it queued, or left the queue for another tenant's. */
export const SHED_REASONS = ['queue_full', 'memory', 'estimated_wait', 'fair_share'] as const;
export type ShedReason = (typeof SHED_REASONS)[number];

/** Whether a batch runs on the main thread or on one of its own. */
export type Mode = 'inline' | 'thread';

/** A batch that ran to its end and whose rows were handed back; instants are of performance.now(). */
export interface FinishedBatch {
  entries: readonly Entry[];
  rows: number;
  mode: Mode;
  startedAt: number;
  endedAt: number;
  /** gathering the rows */
  inputMs: number;
  computeMs: number;
}

export interface BatchObserver {
  batchTaken(lane: LaneOptions, batch: { rows: number; queueMs: readonly number[] }): void;
  batchDone(lane: LaneOptions, batch: FinishedBatch): void;
  batchRetried(): void;
  requestShed(reason: ShedReason): void;
}

/** What waits in the queue of one program of one version. */
export interface LaneBacklog {
  model: string;
  version: string;
  program: Program;
  /** requests, or parts of requests */
  pendingRequests: number;
  pendingRows: number;
  /** 0 when nothing waits */
  oldestWaitMs: number;
}
