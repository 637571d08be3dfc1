import { DomainError } from '@sextant/domain';
import type { Job, JobResult, Program } from '../onnx/thread-messages.js';
import type { Datatype } from '@sextant/artefacts';
import { arrayOver, bytesPerRow, type Tensor, type TensorSpec } from '../tensors/tensor.js';
import type { BufferPool } from '../tensors/buffer-pool.js';
import { PRIORITY, type Priority } from '../transport/call-context.js';
import type { Mode } from './batch-observer.js';
import { RunTimeModel } from './run-time-model.js';
import type { TenantAccounts } from './tenant-accounts.js';
import type { Ticket } from './ticket.js';

/** Rows that a caller wants run; they are copied into batches when their turn comes. */
export interface RowSource {
  rows: number;
  /** memory that one waiting row holds */
  bytesPerRow: number;
  /** Copies the bytes of rows [from, from + count) into each input of the batch, from batch row `at` on; every byte of theirs. */
  write?(inputs: readonly Uint8Array[], range: { from: number; count: number; at: number }): void;
  /** The whole input of a source that shares no batch, where it has such. */
  tensors?(): Tensor[] | undefined;
}

/** Where the answers to a source's rows go. */
export interface ResultSink {
  /** Rows [from, from + count) are rows [at, at + count) of the outputs, which are valid during the call only. */
  take(
    outputs: readonly Tensor[],
    range: { from: number; count: number; at: number; batchRows: number },
  ): void;
  /** Every row was taken. */
  done(timing: BatchTiming): void;
  /** Nothing more will come; rows taken before are void. */
  fail(error: unknown): void;
}

/** Of the batches that carried a request's rows, the longest and largest. */
export interface BatchTiming {
  queueMs: number;
  computeMs: number;
  batchRows: number;
}

/** Runs a job on the main thread: for models whose runs are shorter than the way to a thread and back. */
export interface InlineRunner {
  run(job: Job): Promise<JobResult>;
  release(): Promise<void>;
}

/** Who asks, and until when. */
export interface Claim {
  /** epoch milliseconds; from then on the rows cost no run */
  deadline: number;
  priority: Priority;
  tenant: string;
}

/** Rows of one request that run together; they may share a batch with rows of other requests. */
export interface Entry {
  ticket: Ticket;
  from: number;
  count: number;
  /** performance.now() */
  enqueuedAt: number;
}

/** A place in a batch. */
export interface BatchPart {
  source: RowSource;
  from: number;
  count: number;
  /** row of the batch at which the part begins */
  at: number;
}

export interface LaneOptions {
  /** `<model>@<version>/<load>`, unique in the process */
  key: string;
  model: string;
  version: string;
  /** whose model it is; calls that name no tenant count towards this one */
  tenant?: string;
  program: Program;
  inputs: TensorSpec[];
  /** rows that may run together */
  maxBatchRows: number;
  /** rows that may wait */
  maxPendingRows: number;
  /** batches that may run at once; without it as many as there are threads */
  maxRunning?: number;
  /** how long the first row may wait for company while a thread is idle; 0: not at all */
  maxQueueDelayMs?: number;
  /** makes the batch's input of its parts; without it each source writes its rows */
  assemble?(parts: readonly BatchPart[], rows: number): Tensor[];
}

/** Waiting rows of one priority level, first in first out by tenant. */
type Level = Map<string, Set<Entry>>;

/** The queue of one program of one model version. */
export class BatchLane {
  /** of batches on threads */
  readonly runTime = new RunTimeModel();
  /** of batches on the main thread */
  readonly inlineTime = new RunTimeModel();
  /** runs small batches on the main thread; null where the model is too slow for it */
  inline: InlineRunner | null = null;
  private readonly rowsByLevel = new Array<number>(PRIORITY.BACKGROUND + 1).fill(0);
  /** by priority; none is 0 */
  private readonly levels = Array.from({ length: PRIORITY.BACKGROUND + 1 }, (): Level => new Map());
  private readonly scratch: ArrayBuffer[] = [];
  private readonly rowsByTenant = new Map<string, number>();
  private rowsWaiting = 0;
  private entriesWaiting = 0;
  /** batches handed out and not finished */
  running = 0;
  /** rows in those */
  runningRows = 0;

  constructor(
    readonly options: LaneOptions,
    private readonly accounts: TenantAccounts,
    private readonly pool: BufferPool,
  ) {}

  get pendingRows(): number {
    return this.rowsWaiting;
  }

  /** Requests or parts of requests that wait. */
  get pendingEntries(): number {
    return this.entriesWaiting;
  }

  get canStart(): boolean {
    return this.rowsWaiting > 0 && this.running < (this.options.maxRunning ?? Number.POSITIVE_INFINITY);
  }

  /** performance.now() at which the oldest waiting rows came; Infinity when none wait. */
  get oldestEnqueuedAt(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const level of this.levels) {
      for (const entries of level.values()) oldest = Math.min(oldest, firstOf(entries).enqueuedAt);
    }
    return oldest;
  }

  /** Whose turn it is in this lane; undefined when nothing waits. */
  next(): { priority: number; tenant: string; enqueuedAt: number; rows: number } | undefined {
    for (const [priority, level] of this.levels.entries()) {
      if (level.size === 0) continue;
      const tenant = this.leastServed(level);
      const { enqueuedAt, count } = firstOf(level.get(tenant));
      return { priority, tenant, enqueuedAt, rows: count };
    }
    return undefined;
  }

  /** Rows that wait at this priority or a higher one. */
  pendingRowsUpTo(priority: Priority): number {
    let rows = 0;
    for (let level = 1; level <= priority; level++) rows += this.rowsByLevel[level] ?? 0;
    return rows;
  }

  /** Rows of the request whose turn it is. */
  get headRows(): number {
    const head = this.next();
    return head === undefined ? 0 : head.rows;
  }

  rowsOf(tenant: string): number {
    return this.rowsByTenant.get(tenant) ?? 0;
  }

  /** Tenants with rows in this lane. */
  get tenants(): number {
    return this.rowsByTenant.size;
  }

  push(entry: Entry): void {
    const { priority, tenant } = entry.ticket;
    const level = this.levels[priority];
    const entries = level?.get(tenant);
    if (entries) entries.add(entry);
    else level?.set(tenant, new Set([entry]));
    this.rowsWaiting += entry.count;
    this.rowsByLevel[priority] = (this.rowsByLevel[priority] ?? 0) + entry.count;
    this.entriesWaiting += 1;
    this.rowsByTenant.set(tenant, this.rowsOf(tenant) + entry.count);
    this.accounts.arrived(tenant, bytesOf(entry));
  }

  /** @returns false when the entry does not wait any more */
  remove(entry: Entry): boolean {
    const { priority, tenant } = entry.ticket;
    const level = this.levels[priority];
    const entries = level?.get(tenant);
    if (!level || !entries?.delete(entry)) return false;
    if (entries.size === 0) level.delete(tenant);
    this.rowsWaiting -= entry.count;
    this.rowsByLevel[priority] = (this.rowsByLevel[priority] ?? 0) - entry.count;
    this.entriesWaiting -= 1;
    const left = this.rowsOf(tenant) - entry.count;
    if (left > 0) this.rowsByTenant.set(tenant, left);
    else this.rowsByTenant.delete(tenant);
    this.accounts.left(tenant, bytesOf(entry));
    return true;
  }

  /**
   * Takes the next rows, as many as fit: the highest priority first, within it the tenant that was given least, within a tenant in
   * order of arrival. Requests whose deadline has passed are handed to `expired` instead.
   */
  takeBatch(most: number, expired: (entry: Entry) => void): Entry[] {
    const batch: Entry[] = [];
    const now = Date.now();
    let rows = 0;
    for (const level of this.levels) {
      while (level.size > 0) {
        const tenant = this.leastServed(level);
        const entry = firstOf(level.get(tenant));
        if (this.isTooLate(entry, now)) {
          this.remove(entry);
          expired(entry);
          continue;
        }
        if (rows > 0 && rows + entry.count > most) return batch;
        this.accounts.charge(tenant, this.runTime.estimate(entry.count, this.options.maxBatchRows));
        this.remove(entry);
        entry.ticket.taken += 1;
        batch.push(entry);
        rows += entry.count;
      }
    }
    return batch;
  }

  /**
   * Whether running the entry would be for nothing. While others wait, that also holds when its own rows alone would take longer
   * than there is time; the last one is run all the same, so that a model whose estimate is wrong is measured again.
   */
  private isTooLate({ ticket, count }: Entry, now: number): boolean {
    const leftMs = ticket.deadline - now;
    if (leftMs <= 0 || ticket.context.isCancelled) return true;
    return this.entriesWaiting > 1 && leftMs < this.runTime.estimate(count, this.options.maxBatchRows) / 2;
  }

  /** The newest waiting entry of the tenant that holds most rows. */
  newestOfLargest(): Entry | undefined {
    let largest: string | undefined;
    for (const [tenant, rows] of this.rowsByTenant) if (rows > this.rowsOf(largest ?? '')) largest = tenant;
    for (const level of this.levels.toReversed()) {
      const entries = level.get(largest ?? '');
      if (entries) return [...entries].at(-1);
    }
    return undefined;
  }

  /** The model's input filled from the parts, in their order; for the main thread in memory that the next such batch overwrites. */
  assemble(parts: readonly BatchPart[], rows: number, mode: Mode): Tensor[] {
    const { assemble, inputs } = this.options;
    if (assemble) return assemble(parts, rows);
    const whole = parts[0]?.source.tensors?.();
    if (whole) return whole;
    const buffers = inputs.map((spec, i) => this.bufferFor(i, rows * bytesPerRow(spec), mode));
    const bytes = buffers.map((buffer) => new Uint8Array(buffer));
    for (const part of parts) part.source.write?.(bytes, part);
    return inputs.map(({ datatype, rowShape, width }, i) => ({
      data: arrayOver(datatype as Exclude<Datatype, 'BYTES'>, buffers[i] as ArrayBuffer, rows * width),
      dims: [rows, ...rowShape],
    }));
  }

  private bufferFor(input: number, bytes: number, mode: Mode): ArrayBuffer {
    if (mode === 'thread') return this.pool.take(bytes);
    let scratch = this.scratch[input];
    if (!scratch || scratch.byteLength < bytes) this.scratch[input] = scratch = new ArrayBuffer(2 * bytes);
    return scratch;
  }

  private leastServed(level: Level): string {
    let found: string | undefined;
    for (const tenant of level.keys()) {
      if (found === undefined || this.accounts.servedOf(tenant) < this.accounts.servedOf(found))
        found = tenant;
    }
    return found ?? '';
  }
}

export function expiredInQueue(model: string): DomainError {
  return new DomainError(
    'INFERENCE_DEADLINE_EXCEEDED',
    `the deadline passed while the rows waited for ${model}; send fewer rows, allow more time or add workers`,
  );
}

function bytesOf({ ticket, count }: Entry): number {
  return count * ticket.source.bytesPerRow;
}

function firstOf(entries: Set<Entry> | undefined): Entry {
  for (const entry of entries ?? []) return entry;
  throw new RangeError('a tenant without waiting rows has no place in a level');
}
