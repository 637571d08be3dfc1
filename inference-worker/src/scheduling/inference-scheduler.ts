import { ThreadLostError } from '../onnx/session-thread.js';
import type { Job, JobResult } from '../onnx/thread-messages.js';
import type { CallContext } from '../transport/call-context.js';
import type { BatchObserver, LaneBacklog, Mode } from './batch-observer.js';
import { admit, type QueueState } from './admission.js';
import {
  BatchLane,
  type BatchPart,
  type Entry,
  expiredInQueue,
  type LaneOptions,
  type ResultSink,
  type RowSource,
} from './batch-lane.js';
import { BufferPool } from '../tensors/buffer-pool.js';
import { LoopLag } from './loop-lag.js';
import { asDomainError, cancelled } from './run-errors.js';
import { TenantAccounts } from './tenant-accounts.js';
import { Ticket } from './ticket.js';

/** Runs jobs away from the main thread; the session pool in the product. */
export interface JobRunner {
  /** threads that can run such jobs side by side */
  threadsFor(job: Pick<Job, 'key' | 'program'>): number;
  /** whether `run` would take such a job now */
  hasIdleThreadFor(job: Pick<Job, 'key' | 'program'>): boolean;
  run(job: Job): Promise<JobResult>;
  onIdle: () => void;
}

export interface SchedulerOptions {
  /** a batch that takes at most this long may run on the main thread, where its model can */
  inlineMs?: number;
}

interface Attempt {
  lane: BatchLane;
  batch: Entry[];
  mode: Mode;
  isRetry: boolean;
}
interface Turn {
  lane: BatchLane;
  mode: Mode;
  priority: number;
  served: number;
  enqueuedAt: number;
}

const DEFAULT_INLINE_MS = 0.5;

/**
 * Opportunistic dynamic batching: a batch starts as soon as something can run it and takes whatever waits by then, so batches
 * grow with load and a lone request never waits for company (unless its lane asks for a delay). The highest priority goes
 * first, then the tenant that was given least, then who waited longest.
 */
export class InferenceScheduler {
  private readonly lanes = new Set<BatchLane>();
  /** lanes with rows that wait or run */
  private readonly busy = new Set<BatchLane>();
  private readonly accounts = new TenantAccounts();
  private readonly pool = new BufferPool();
  /** requests that came since the last look at the queues */
  private fresh: Ticket[] = [];
  /** batches whose thread was lost */
  private readonly orphans: { lane: BatchLane; batch: Entry[] }[] = [];
  private readonly lag = new LoopLag();
  private readonly state: QueueState;
  private readonly inlineMs: number;
  private isPumpScheduled = false;
  private isInlineRunning = false;
  private delayTimer: NodeJS.Timeout | undefined;
  private delayedUntil = 0;

  constructor(
    private readonly runner: JobRunner,
    private readonly observer: BatchObserver,
    { inlineMs = DEFAULT_INLINE_MS }: SchedulerOptions = {},
  ) {
    this.inlineMs = inlineMs;
    runner.onIdle = () => this.schedulePump();
    const lagMs = (): number => this.lag.ms;
    const isQuiet = (): boolean => this.busy.size === 0;
    this.state = {
      lanes: this.busy,
      accounts: this.accounts,
      get isQuiet() {
        return isQuiet();
      },
      threadsFor: ({ options }) => Math.min(runner.threadsFor(options), options.maxRunning ?? Infinity),
      get lagMs() {
        return lagMs();
      },
      evict: (lane, entry, because) => this.settle(entry.ticket, because),
      shed: (reason) => observer.requestShed(reason),
    };
  }

  openLane(options: LaneOptions): BatchLane {
    const lane = new BatchLane(options, this.accounts, this.pool);
    this.lanes.add(lane);
    return lane;
  }

  /** Forgets a lane nobody uses any more. */
  closeLane(lane: BatchLane): void {
    this.lanes.delete(lane);
    this.busy.delete(lane);
  }

  close(): void {
    this.lag.stop();
    clearTimeout(this.delayTimer);
  }

  get pendingRows(): number {
    return this.sum((lane) => lane.pendingRows);
  }

  get pendingRequests(): number {
    return this.sum((lane) => lane.pendingEntries);
  }

  /** What waits in each lane. @param now  performance.now() */
  *backlog(now: number): Iterable<LaneBacklog> {
    for (const lane of this.lanes) {
      const { model, version, program } = lane.options;
      const oldestWaitMs = lane.pendingRows === 0 ? 0 : now - lane.oldestEnqueuedAt;
      const { pendingRows, pendingEntries: pendingRequests } = lane;
      yield { model, version, program, pendingRequests, pendingRows, oldestWaitMs };
    }
  }

  /** Milliseconds that the oldest rows wait. @param now  performance.now() */
  oldestWaitMs(now: number): number {
    let oldest = now;
    for (const lane of this.busy) oldest = Math.min(oldest, lane.oldestEnqueuedAt);
    return now - oldest;
  }

  /**
   * Queues a request; its sink hears of the outcome, never before this method returns.
   *
   * @throws DomainError QUEUE_FULL at once when the rows do not fit the queue or would be answered too late, BATCH_TOO_LARGE when they
   *   never could fit. The sink fails with INFERENCE_DEADLINE_EXCEEDED when their turn comes too late, INFERENCE_FAILED when the model
   *   cannot run them or two threads were lost under them
   */
  submit(lane: BatchLane, source: RowSource, sink: ResultSink, context: CallContext): void {
    if (context.isCancelled) return void setImmediate(() => sink.fail(cancelled()));
    const ticket = new Ticket(lane, source, sink, context);
    admit(lane, source, ticket, this.state);
    lane.push(ticket);
    for (const part of ticket.rest) lane.push(part);
    this.busy.add(lane);
    this.fresh.push(ticket);
    this.schedulePump();
  }

  /** Ends a request early; its parts that wait leave the queue, those that run are ignored when they come back. */
  private settle(ticket: Ticket, because: unknown): void {
    if (ticket.isSettled) return;
    const { lane } = ticket;
    ticket.isSettled = true;
    lane.remove(ticket);
    for (const part of ticket.rest) lane.remove(part);
    this.forgetIfQuiet(lane);
    ticket.sink.fail(because);
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
    this.retryOrphans();
    for (let turn = this.nextTurn(); turn; turn = this.nextTurn()) {
      const { lane, mode } = turn;
      const most = mode === 'inline' ? this.mostInline(lane) : lane.options.maxBatchRows;
      const batch = lane.takeBatch(most, ({ ticket }) =>
        this.settle(ticket, expiredInQueue(lane.options.model)),
      );
      if (batch.length > 0) this.start({ lane, batch, mode, isRetry: false });
      else this.forgetIfQuiet(lane);
    }
    this.watchFresh();
  }

  /** Requests that found something to run on at once need not hear of cancellation; those that wait leave the queue with it. */
  private watchFresh(): void {
    for (const ticket of this.fresh) {
      if (!ticket.isWaiting) continue;
      ticket.context.onCancelled(() => {
        if (!ticket.isSettled) this.settle(ticket, cancelled());
      });
    }
    this.fresh = [];
  }

  /** A batch whose thread was lost goes first, once, as soon as another thread is idle. */
  private retryOrphans(): void {
    for (const orphan of [...this.orphans]) {
      if (!this.runner.hasIdleThreadFor(orphan.lane.options)) continue;
      this.orphans.splice(this.orphans.indexOf(orphan), 1);
      const batch = orphan.batch.filter(({ ticket }) => !ticket.isSettled);
      if (batch.length > 0) this.start({ ...orphan, batch, mode: 'thread', isRetry: true });
    }
  }

  private nextTurn(): Turn | undefined {
    let best: Turn | undefined;
    for (const lane of this.busy) {
      const mode = this.modeFor(lane);
      const head = mode && lane.next();
      if (!mode || !head) continue;
      const turn = { lane, mode, ...head, served: this.accounts.servedOf(head.tenant) };
      if (!best || goesBefore(turn, best)) best = turn;
    }
    return best;
  }

  private modeFor(lane: BatchLane): Mode | undefined {
    if (!lane.canStart || this.waitsForCompany(lane)) return undefined;
    const rows = Math.min(lane.pendingRows, lane.options.maxBatchRows);
    const canInline = lane.inline !== null && !this.isInlineRunning && lane.headRows <= this.mostInline(lane);
    if (canInline && rows <= this.mostInline(lane)) return 'inline';
    if (this.runner.hasIdleThreadFor(lane.options)) return 'thread';
    return canInline ? 'inline' : undefined;
  }

  private mostInline(lane: BatchLane): number {
    return Math.min(lane.options.maxBatchRows, lane.inlineTime.rowsWithin(this.inlineMs));
  }

  private waitsForCompany(lane: BatchLane): boolean {
    const { maxQueueDelayMs = 0, maxBatchRows } = lane.options;
    if (maxQueueDelayMs === 0 || lane.pendingRows >= maxBatchRows) return false;
    const restMs = lane.oldestEnqueuedAt + maxQueueDelayMs - performance.now();
    if (restMs <= 0) return false;
    this.pumpAt(performance.now() + restMs);
    return true;
  }

  private pumpAt(at: number): void {
    if (this.delayTimer !== undefined && this.delayedUntil <= at) return;
    clearTimeout(this.delayTimer);
    this.delayedUntil = at;
    this.delayTimer = setTimeout(
      () => {
        this.delayTimer = undefined;
        this.pump();
      },
      Math.ceil(at - performance.now()),
    );
  }

  private start(attempt: Attempt): void {
    const { lane, batch, mode } = attempt;
    const { key, program } = lane.options;
    const startedAt = performance.now();
    const rows = batch.reduce((sum, { count }) => sum + count, 0);
    this.observer.batchTaken(lane.options, {
      rows,
      queueMs: batch.map((each) => startedAt - each.enqueuedAt),
    });
    lane.running += 1;
    lane.runningRows += rows;
    if (mode === 'inline') this.isInlineRunning = true;
    const runner = mode === 'inline' && lane.inline ? lane.inline : this.runner;
    const finish = (deliver: () => void): void => {
      lane.running -= 1;
      lane.runningRows -= rows;
      if (mode === 'inline') this.isInlineRunning = false;
      deliver();
      this.forgetIfQuiet(lane);
      if (lane.pendingRows > 0 || mode === 'inline') this.schedulePump();
    };
    const timing = { rows, startedAt, inputMs: 0 };
    const job = (): Job => {
      const inputs = lane.assemble(partsOf(batch), rows, mode);
      timing.inputMs = performance.now() - startedAt;
      return { key, program, rows, inputs };
    };
    run(runner, job).then(
      (result) => {
        if (mode === 'thread') lane.runTime.observe(rows, performance.now() - startedAt);
        lane.inlineTime.observe(rows, result.computeMs);
        for (const buffer of result.returned ?? []) this.pool.give(buffer);
        finish(() => this.deliver(attempt, result, timing));
      },
      (error: unknown) => finish(() => this.failed(attempt, error)),
    );
  }

  private deliver(
    { lane, batch, mode }: Attempt,
    { outputs, computeMs }: JobResult,
    { rows, startedAt, inputMs }: { rows: number; startedAt: number; inputMs: number },
  ): void {
    let at = 0;
    for (const { ticket, from, count, enqueuedAt } of batch) {
      const range = { from, count, at, batchRows: rows };
      at += count;
      if (ticket.isSettled) continue;
      const { sink } = ticket;
      ticket.queueMs = Math.max(ticket.queueMs, startedAt - enqueuedAt);
      ticket.computeMs = Math.max(ticket.computeMs, computeMs);
      ticket.batchRows = Math.max(ticket.batchRows, rows);
      try {
        sink.take(outputs, range);
        ticket.open -= 1;
        if (ticket.open > 0) continue;
        ticket.isSettled = true;
        sink.done(ticket);
      } catch (error) {
        ticket.isSettled = false;
        this.settle(ticket, error);
      }
    }
    const endedAt = performance.now();
    const times = { startedAt, endedAt, inputMs, computeMs };
    this.observer.batchDone(lane.options, { entries: batch, rows, mode, ...times });
  }

  private failed({ lane, batch, isRetry }: Attempt, error: unknown): void {
    if (error instanceof ThreadLostError && !isRetry) {
      this.orphans.push({ lane, batch });
      this.observer.batchRetried();
      this.schedulePump();
      return;
    }
    const because = asDomainError(error, lane.options);
    for (const { ticket } of batch) this.settle(ticket, because);
  }

  private forgetIfQuiet(lane: BatchLane): void {
    if (lane.pendingRows === 0 && lane.running === 0) this.busy.delete(lane);
  }

  private sum(value: (lane: BatchLane) => number): number {
    let total = 0;
    for (const lane of this.busy) total += value(lane);
    return total;
  }
}

function goesBefore(a: Turn, b: Turn): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority;
  if (a.served !== b.served) return a.served < b.served;
  return a.enqueuedAt < b.enqueuedAt;
}

/** A batch that cannot even be put together fails like one that cannot be run. */
async function run(runner: Pick<JobRunner, 'run'>, job: () => Job): Promise<JobResult> {
  return runner.run(job());
}

function partsOf(batch: readonly Entry[]): BatchPart[] {
  let at = 0;
  return batch.map(({ ticket, from, count }) => {
    const part = { source: ticket.source, from, count, at };
    at += count;
    return part;
  });
}
