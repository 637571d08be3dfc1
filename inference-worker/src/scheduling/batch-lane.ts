import { DomainError } from '@sextant/domain';
import type { Program } from '../onnx/thread-messages.js';
import {
  allocateTensor,
  bytesPerRow,
  type Tensor,
  type TensorArray,
  type TensorSpec,
} from '../tensors/tensor.js';

/** Rows of one request that run together; they may share a batch with other requests' rows. */
export interface Task {
  rows: number;
  /** memory that the waiting rows hold */
  bytes: number;
  /** epoch milliseconds; from then on the task costs no run */
  deadline: number;
  /** Copies the task's rows into the batch, from row `at` on. */
  write(inputs: readonly TensorArray[], at: number): void;
}

export interface TaskResult {
  /** whole batch outputs; this task's rows begin at row `at` */
  outputs: readonly Tensor[];
  at: number;
  queueMs: number;
  computeMs: number;
  batchRows: number;
}

/** A task that waits. */
export interface Entry {
  task: Task;
  enqueuedAt: number;
  resolve(result: TaskResult): void;
  reject(error: unknown): void;
}

export interface LaneOptions {
  /** `<model>@<version>/<load>`, unique in the process */
  key: string;
  model: string;
  version: string;
  program: Program;
  inputs: TensorSpec[];
  /** rows that may run together */
  maxBatchRows: number;
  /** rows that may wait */
  maxPendingRows: number;
}

/** The FIFO queue of one program of one model version; a Set keeps order and lets any task leave at once. */
export class BatchLane {
  private readonly entries = new Set<Entry>();
  private rowsWaiting = 0;
  private bytesWaiting = 0;
  /** batches handed out and not finished */
  running = 0;

  constructor(readonly options: LaneOptions) {}

  get pendingRows(): number {
    return this.rowsWaiting;
  }

  get pendingBytes(): number {
    return this.bytesWaiting;
  }

  /** Epoch milliseconds at which the oldest task came; Infinity when none waits. */
  get oldestEnqueuedAt(): number {
    for (const entry of this.entries) return entry.enqueuedAt;
    return Number.POSITIVE_INFINITY;
  }

  push(entry: Entry): void {
    this.entries.add(entry);
    this.rowsWaiting += entry.task.rows;
    this.bytesWaiting += entry.task.bytes;
  }

  /** Refuses a task that still waits; one that already runs is left to finish. */
  withdraw(entry: Entry, reason: unknown): void {
    if (this.remove(entry)) entry.reject(reason);
  }

  /**
   * Takes the next rows in order, as many as fit one batch. Tasks whose deadline has passed are refused instead.
   *
   * @returns an empty list when no live task waits
   */
  takeBatch(now: number): Entry[] {
    const batch: Entry[] = [];
    let rows = 0;
    for (const entry of this.entries) {
      if (entry.task.deadline <= now) {
        this.withdraw(entry, expiredInQueue(this.options.model));
        continue;
      }
      if (rows > 0 && rows + entry.task.rows > this.options.maxBatchRows) break;
      this.remove(entry);
      batch.push(entry);
      rows += entry.task.rows;
    }
    return batch;
  }

  /** The model's input tensors filled from the entries, in their order. */
  fillInputs(entries: readonly Entry[], rows: number): Tensor[] {
    const inputs = this.options.inputs.map((spec) => allocateTensor(spec, rows));
    let at = 0;
    for (const { task } of entries) {
      task.write(inputs, at);
      at += task.rows;
    }
    return this.options.inputs.map(({ rowShape }, i) => ({
      data: inputs[i] ?? [],
      dims: [rows, ...rowShape],
    }));
  }

  /** Bytes that one row takes as input. */
  get inputRowBytes(): number {
    return this.options.inputs.reduce((sum, spec) => sum + bytesPerRow(spec), 0);
  }

  private remove(entry: Entry): boolean {
    if (!this.entries.delete(entry)) return false;
    this.rowsWaiting -= entry.task.rows;
    this.bytesWaiting -= entry.task.bytes;
    return true;
  }
}

export function expiredInQueue(model: string): DomainError {
  return new DomainError(
    'INFERENCE_DEADLINE_EXCEEDED',
    `the deadline passed while the rows waited for ${model}; send fewer rows, allow more time or add workers`,
  );
}
