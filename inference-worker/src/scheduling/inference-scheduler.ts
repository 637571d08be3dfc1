import { DomainError } from '@sextant/domain';
import { ModelRunError, ThreadLostError } from '../onnx/session-thread.js';
import type { Job, JobResult } from '../onnx/thread-messages.js';
import type { TensorArray } from '../tensors/tensor.js';
import {
  BatchLane,
  type Entry,
  expiredInQueue,
  type LaneOptions,
  type Task,
  type TaskResult,
} from './batch-lane.js';

/** Runs jobs on threads; the session pool in the product. */
export interface JobRunner {
  readonly hasIdleThread: boolean;
  run(job: Job): Promise<JobResult>;
  onIdle: () => void;
}

/** What a caller wants run: rows that are copied into batches when their turn comes. */
export interface RowsRequest {
  rows: number;
  /** memory that one waiting row holds */
  bytesPerRow: number;
  /** epoch milliseconds */
  deadline: number;
  /** aborting takes waiting rows off the queue */
  signal: AbortSignal;
  /** copies rows [from, from + count) of the request into the batch, from batch row `at` on */
  write(inputs: readonly TensorArray[], range: { from: number; count: number; at: number }): void;
}

export interface RowsResult {
  /** one tensor an output, exactly the rows that were asked for */
  outputs: TensorArray[];
  /** longest of the batches that carried the rows */
  queueMs: number;
  computeMs: number;
  batchRows: number;
}

export interface BatchObserver {
  batchTaken(lane: LaneOptions, batch: { rows: number; queueMs: readonly number[] }): void;
  batchDone(lane: LaneOptions, computeMs: number): void;
}

/** Waiting rows of all models together may hold this much memory. */
const MAX_PENDING_BYTES = 256 * 1024 * 1024;

/**
 * Opportunistic dynamic batching: a batch starts as soon as a thread is idle and takes whatever waits by then, so batches
 * grow with load and a lone request never waits for company. The model whose head waited longest goes first.
 */
export class InferenceScheduler {
  private readonly lanes = new Set<BatchLane>();
  /** batches whose thread was lost */
  private readonly orphans: Omit<Attempt, 'isRetry'>[] = [];
  private isPumpScheduled = false;

  constructor(
    private readonly runner: JobRunner,
    private readonly observer: BatchObserver,
  ) {
    runner.onIdle = () => this.schedulePump();
  }

  openLane(options: LaneOptions): BatchLane {
    const lane = new BatchLane(options);
    this.lanes.add(lane);
    return lane;
  }

  /** Forgets a lane nobody uses any more. */
  closeLane(lane: BatchLane): void {
    this.lanes.delete(lane);
  }

  get pendingRows(): number {
    return this.sum((lane) => lane.pendingRows);
  }

  pendingRowsOf(model: string): number {
    return this.sum((lane) => (lane.options.model === model ? lane.pendingRows : 0));
  }

  oldestWaitMs(now: number): number {
    let oldest = now;
    for (const lane of this.lanes) oldest = Math.min(oldest, lane.oldestEnqueuedAt);
    return now - oldest;
  }

  /**
   * @throws DomainError QUEUE_FULL at once when the rows do not fit the queue (BATCH_TOO_LARGE when they never could), INFERENCE_DEADLINE_EXCEEDED when their turn comes
   *   too late, INFERENCE_FAILED when the model cannot run them or two threads were
   *   lost under them
   */
  async run(lane: BatchLane, request: RowsRequest): Promise<RowsResult> {
    request.signal.throwIfAborted();
    this.assertRoom(lane, request);
    const parts: Promise<TaskResult>[] = [];
    const { maxBatchRows } = lane.options;
    for (let from = 0; from < request.rows; from += maxBatchRows) {
      parts.push(this.enqueue(lane, request, { from, count: Math.min(maxBatchRows, request.rows - from) }));
    }
    this.schedulePump();
    return joinParts(await Promise.all(parts), request.rows, maxBatchRows);
  }

  private assertRoom(lane: BatchLane, request: RowsRequest): void {
    const { model, maxPendingRows } = lane.options;
    if (request.rows > maxPendingRows) {
      throw new DomainError(
        'BATCH_TOO_LARGE',
        `${request.rows} rows can never fit the queue of ${maxPendingRows} rows; send several requests`,
      );
    }
    const bytes = this.sum((each) => each.pendingBytes) + request.rows * request.bytesPerRow;
    if (lane.pendingRows + request.rows > maxPendingRows || bytes > MAX_PENDING_BYTES) {
      throw new DomainError(
        'QUEUE_FULL',
        `${lane.pendingRows} rows wait for ${model} and ${request.rows} more do not fit; try again later or add workers`,
      );
    }
  }

  private enqueue(
    lane: BatchLane,
    request: RowsRequest,
    part: { from: number; count: number },
  ): Promise<TaskResult> {
    const task: Task = {
      rows: part.count,
      bytes: part.count * request.bytesPerRow,
      deadline: request.deadline,
      write: (inputs, at) => request.write(inputs, { ...part, at }),
    };
    return new Promise((resolve, reject) => {
      const leave = (): void => lane.withdraw(entry, request.signal.reason);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          request.signal.removeEventListener('abort', leave);
          settle(value);
        };
      const entry: Entry = {
        task,
        enqueuedAt: Date.now(),
        resolve: settled(resolve),
        reject: settled(reject),
      };
      request.signal.addEventListener('abort', leave, { once: true });
      lane.push(entry);
    });
  }

  /** After the current turn of the event loop, so that requests which arrived together share a batch. */
  private schedulePump(): void {
    if (this.isPumpScheduled) return;
    this.isPumpScheduled = true;
    setImmediate(() => {
      this.isPumpScheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.runner.hasIdleThread) {
      const orphan = this.orphans.shift();
      const lane = orphan?.lane ?? this.longestWaiting();
      if (!lane) return;
      const batch = orphan ? refuseExpired(orphan.batch, lane) : lane.takeBatch(Date.now());
      if (batch.length > 0) void this.runBatch({ lane, batch, isRetry: orphan !== undefined });
    }
  }

  private longestWaiting(): BatchLane | undefined {
    let found: BatchLane | undefined;
    for (const lane of this.lanes) {
      if (
        lane.pendingRows > 0 &&
        lane.oldestEnqueuedAt < (found?.oldestEnqueuedAt ?? Number.POSITIVE_INFINITY)
      )
        found = lane;
    }
    return found;
  }

  private async runBatch({ lane, batch, isRetry }: Attempt): Promise<void> {
    const takenAt = Date.now();
    const rows = batch.reduce((sum, { task }) => sum + task.rows, 0);
    const queueMs = batch.map(({ enqueuedAt }) => takenAt - enqueuedAt);
    this.observer.batchTaken(lane.options, { rows, queueMs });
    lane.running += 1;
    try {
      const { key, program } = lane.options;
      const { outputs, computeMs } = await this.runner.run({
        key,
        program,
        rows,
        inputs: lane.fillInputs(batch, rows),
      });
      this.observer.batchDone(lane.options, computeMs);
      let at = 0;
      batch.forEach((entry, i) => {
        entry.resolve({ outputs, at, queueMs: queueMs[i] ?? 0, computeMs, batchRows: rows });
        at += entry.task.rows;
      });
    } catch (error) {
      if (error instanceof ThreadLostError && !isRetry) this.runAgain(lane, batch);
      else for (const entry of batch) entry.reject(asDomainError(error, lane.options));
    } finally {
      lane.running -= 1;
    }
  }

  /** A batch whose thread was lost goes first, once, as soon as another thread is idle. */
  private runAgain(lane: BatchLane, batch: Entry[]): void {
    this.orphans.push({ lane, batch });
    this.schedulePump();
  }

  private sum(value: (lane: BatchLane) => number): number {
    let total = 0;
    for (const lane of this.lanes) total += value(lane);
    return total;
  }
}

interface Attempt {
  lane: BatchLane;
  batch: Entry[];
  isRetry: boolean;
}

function refuseExpired(batch: readonly Entry[], lane: BatchLane): Entry[] {
  const now = Date.now();
  return batch.filter((entry) => {
    if (entry.task.deadline > now) return true;
    entry.reject(expiredInQueue(lane.options.model));
    return false;
  });
}

function asDomainError(cause: unknown, { model, version }: LaneOptions): unknown {
  if (cause instanceof ModelRunError) {
    return new DomainError(
      'INFERENCE_FAILED',
      `${model} version ${version} could not run the rows: ${cause.message}`,
      { cause },
    );
  }
  if (cause instanceof ThreadLostError) {
    const message = `two inference threads ended under the same rows of ${model} version ${version}`;
    return new DomainError('INFERENCE_FAILED', message, { cause });
  }
  return cause;
}

/** Puts the parts of a request together again, in order; a request that fitted one batch is a view of it. */
function joinParts(parts: readonly TaskResult[], rows: number, maxBatchRows: number): RowsResult {
  const [first] = parts;
  if (!first) throw new RangeError('a request has at least one row');
  const outputs = first.outputs.map(({ data }, i) => {
    const tensor = data as TensorArray;
    const width = tensor.length / first.batchRows;
    if (parts.length === 1) return tensor.subarray(first.at * width, (first.at + rows) * width);
    return concatenate(
      parts.map((part, p) => {
        const count = Math.min(maxBatchRows, rows - p * maxBatchRows);
        return (part.outputs[i]?.data as TensorArray).subarray(part.at * width, (part.at + count) * width);
      }),
    );
  });
  return {
    outputs,
    queueMs: Math.max(...parts.map((part) => part.queueMs)),
    computeMs: Math.max(...parts.map((part) => part.computeMs)),
    batchRows: Math.max(...parts.map((part) => part.batchRows)),
  };
}

function concatenate(pieces: readonly TensorArray[]): TensorArray {
  const bytes = pieces.map((piece) => new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  const joined = new Uint8Array(bytes.reduce((sum, piece) => sum + piece.byteLength, 0));
  let at = 0;
  for (const piece of bytes) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  const [sample] = pieces;
  const Typed = (sample?.constructor ?? Uint8Array) as new (buffer: ArrayBuffer) => TensorArray;
  return new Typed(joined.buffer);
}
