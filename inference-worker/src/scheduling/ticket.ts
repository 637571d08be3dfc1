import type { TraceSpan } from '@sextant/telemetry';
import type { CallContext, Priority } from '../transport/call-context.js';
import type { BatchLane, BatchTiming, Claim, Entry, ResultSink, RowSource } from './batch-lane.js';

/** One request in the queue, whole. It is its own first part; a request that exceeds a batch has more. */
export class Ticket implements Entry, Claim, BatchTiming {
  readonly ticket = this;
  readonly from = 0;
  readonly count: number;
  readonly enqueuedAt = performance.now();
  readonly deadline: number;
  readonly priority: Priority;
  readonly tenant: string;
  readonly span: TraceSpan | undefined;
  /** parts after the first */
  readonly rest: readonly Entry[];
  /** parts that were not answered yet */
  open: number;
  /** parts that left the queue to run */
  taken = 0;
  isSettled = false;
  queueMs = 0;
  computeMs = 0;
  batchRows = 0;

  constructor(
    readonly lane: BatchLane,
    readonly source: RowSource,
    readonly sink: ResultSink,
    readonly context: CallContext,
  ) {
    const { maxBatchRows, tenant = '' } = lane.options;
    this.deadline = context.deadline;
    this.priority = context.priority;
    this.tenant = context.tenant || tenant;
    this.span = context.span;
    this.count = Math.min(maxBatchRows, source.rows);
    this.rest = this.count === source.rows ? NO_PARTS : this.split(maxBatchRows);
    this.open = 1 + this.rest.length;
  }

  /** Whether a part of it is still in the queue. */
  get isWaiting(): boolean {
    return !this.isSettled && this.taken < 1 + this.rest.length;
  }

  private split(maxBatchRows: number): Entry[] {
    const parts: Entry[] = [];
    const { enqueuedAt, source } = this;
    for (let from = maxBatchRows; from < source.rows; from += maxBatchRows) {
      parts.push({ ticket: this, from, count: Math.min(maxBatchRows, source.rows - from), enqueuedAt });
    }
    return parts;
  }
}

const NO_PARTS: readonly Entry[] = [];
