import type { VersionTraffic } from '../monitoring/traffic-ledger.js';
import type { Histogram } from './histogram.js';

/** Why a request failed, in Triton's words; DEADLINE is ours and OTHER in Triton. */
export const FAILURE_REASONS = ['REJECTED', 'CANCELED', 'DEADLINE', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Names of the gRPC status codes, by number. */
export const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

const REASON_OF_CODE: Partial<Record<(typeof STATUS_NAMES)[number], FailureReason>> = {
  RESOURCE_EXHAUSTED: 'REJECTED',
  CANCELLED: 'CANCELED',
  DEADLINE_EXCEEDED: 'DEADLINE',
  INTERNAL: 'BACKEND',
};

/** How often something happened and how long it took in all. */
export class Duration {
  count = 0;
  ms = 0;

  add(ms: number, times = 1): void {
    this.count += times;
    this.ms += ms * times;
  }
}

/** Batches of one size. */
export class BatchStatistics {
  readonly computeInput = new Duration();
  readonly computeInfer = new Duration();
  readonly computeOutput = new Duration();
}

/**
 * What one version of one model has done, as Triton counts it: rows are inferences, batches are executions. The metrics,
 * `ModelStatistics` and the status page all read it.
 */
export class ModelStatistics {
  /** rows that ran */
  inferenceCount = 0;
  /** batches that ran */
  executionCount = 0;
  /** epoch milliseconds; 0 before the first */
  lastInferenceAt = 0;
  readonly success = new Duration();
  readonly fail = new Duration();
  /** one a request part: requests longer than a batch wait in several */
  readonly queue = new Duration();
  readonly computeInput = new Duration();
  readonly computeInfer = new Duration();
  readonly computeOutput = new Duration();
  readonly failures: Record<FailureReason, number> = {
    REJECTED: 0,
    CANCELED: 0,
    DEADLINE: 0,
    BACKEND: 0,
    OTHER: 0,
  };
  readonly batches = new Map<number, BatchStatistics>();

  constructor(
    readonly model: string,
    readonly version: string,
    /** the same by the minute */
    readonly traffic: VersionTraffic | null = null,
  ) {}

  batchOf(rows: number): BatchStatistics {
    let batch = this.batches.get(rows);
    if (!batch) this.batches.set(rows, (batch = new BatchStatistics()));
    return batch;
  }
}

const DECIDING = { isCounted: true };

/** Counts the finished calls of one rpc on one version; kept by whoever answers them. */
export class CallRecorder {
  /** finished calls by gRPC status code */
  readonly counts = new Float64Array(STATUS_NAMES.length);

  /** @param statistics  null: no request of the model */
  constructor(
    readonly labels: { readonly rpc: string; readonly model: string; readonly version: string },
    private readonly seconds: Histogram,
    private readonly statistics: ModelStatistics | null,
  ) {}

  /**
   * @param code  gRPC status code
   * @param ms    from the decoded request to the answer
   * @param call  whether it decided something: of one that did not, monitoring hears nothing
   */
  finished(code: number, ms: number, call: { readonly isCounted: boolean } = DECIDING): void {
    const { counts, statistics } = this;
    counts[code] = (counts[code] ?? 0) + 1;
    this.seconds.observe(ms / 1000);
    if (statistics === null) return;
    if (call.isCounted) statistics.traffic?.finished(code, ms);
    if (code === 0) {
      statistics.success.add(ms);
      return;
    }
    statistics.fail.add(ms);
    statistics.failures[REASON_OF_CODE[STATUS_NAMES[code] ?? 'UNKNOWN'] ?? 'OTHER'] += 1;
  }
}

/** Times of one batch, in milliseconds. */
export interface BatchTimes {
  rows: number;
  /** requests, or parts of requests, that shared it */
  parts: number;
  /** gathering the rows into the input tensors */
  inputMs: number;
  /** `session.run` */
  inferMs: number;
  /** the rest until the rows were handed back: the way to the thread and back, and sharing the rows out */
  outputMs: number;
}

/** Histograms that the versions of one model and program share. */
export interface LaneHistograms {
  rows: Histogram;
  queueSeconds: Histogram;
  computeSeconds: Histogram;
}

/** Counts the batches of one program of one version; kept by its lane. */
export class LaneRecorder {
  constructor(
    private readonly statistics: ModelStatistics,
    private readonly histograms: LaneHistograms,
  ) {}

  /** A part left the queue because its turn had come. @param ms  how long it waited */
  waited(ms: number): void {
    this.histograms.queueSeconds.observe(ms / 1000);
    this.statistics.queue.add(ms);
  }

  /** A batch was handed to a thread. */
  taken(rows: number): void {
    this.histograms.rows.observe(rows);
  }

  /** A batch ran to its end. @param now  epoch milliseconds */
  done({ rows, parts, inputMs, inferMs, outputMs }: BatchTimes, now = Date.now()): void {
    this.histograms.computeSeconds.observe(inferMs / 1000);
    const { statistics } = this;
    statistics.inferenceCount += rows;
    statistics.executionCount += 1;
    statistics.lastInferenceAt = now;
    statistics.traffic?.ran(rows, inferMs);
    statistics.computeInput.add(inputMs, parts);
    statistics.computeInfer.add(inferMs, parts);
    statistics.computeOutput.add(outputMs, parts);
    const batch = statistics.batchOf(rows);
    batch.computeInput.add(inputMs);
    batch.computeInfer.add(inferMs);
    batch.computeOutput.add(outputMs);
  }
}
