import type { PreparedTask } from '../models/prepared-task.js';
import type { BatchPart, LaneOptions, RowSource } from '../scheduling/batch-lane.js';
import type { Tensor } from '../tensors/tensor.js';
import type { DecisionSource } from './programs/decision-model.js';
import { type Rpc, RPCS } from './programs/decision-program.js';
import type { SplitRequest } from './split-request.js';
import { type PartDraft, packRequests } from './wire/part-messages.js';

/** Attributions of trees cost milliseconds a row: short batches, so that nothing waits long behind them. */
const MAX_EXPLAINED = 32;
/** A price search asks the model at a few prices to a few hundred; it is queued as this many rows. */
const ROWS_OF_QUOTE = 32;
const MANY_REASONS = 8;
const BYTES_OF_INDEX = 64;
/** Rows differ in length. */
const SPARE = 1.1;

/**
 * Rows that a row of a request counts for in queues and batches, so that a batch of dear rows is not longer than one of cheap ones:
 * a power of two that parts of the lane's batches come out whole with, less where the whole request would not fit the queue.
 */
export function queueRowsOf(
  rpc: Rpc,
  { rows, reasons }: Pick<SplitRequest, 'rows' | 'reasons'>,
  { maxBatchRows, maxPendingRows }: Pick<LaneOptions, 'maxBatchRows' | 'maxPendingRows'>,
): number {
  let weight = rpc === 'QuotePrices' ? ROWS_OF_QUOTE : rpc === 'Recommend' ? rowsOfSlate(reasons) : 1;
  while (weight > 1 && (maxBatchRows % weight !== 0 || rows * weight > maxPendingRows)) weight /= 2;
  return weight;
}

/** Reasons of a hundred items cost a few times what ranking all items does. */
function rowsOfSlate(reasons: number): number {
  if (reasons >= MANY_REASONS) return 8;
  return reasons > 0 ? 2 : 1;
}

/** Rows that may run together on the lanes of a task's decisions. */
export function decisionBatchRows(
  { task }: PreparedTask,
  maxBatchRows: number,
): { decide: number; explain: number } {
  if (task !== 'price') return { decide: maxBatchRows, explain: Math.min(maxBatchRows, MAX_EXPLAINED) };
  const quotes = Math.max(1, Math.floor(maxBatchRows / ROWS_OF_QUOTE));
  return { decide: quotes * ROWS_OF_QUOTE, explain: Math.min(quotes, MAX_EXPLAINED) * ROWS_OF_QUOTE };
}

/** What the inference threads are to know of a task; null for a model whose tensors nobody understands. */
export function decisionSourceOf(
  task: PreparedTask,
  { maxRows, counted }: Pick<DecisionSource, 'maxRows' | 'counted'>,
): DecisionSource | null {
  if (task.task === 'tensor') return null;
  return { spec: task.spec, weights: 'weights' in task ? task.weights : null, maxRows, counted };
}

/** Rows of one decision call, as they wait in a lane. */
export class DecisionRows implements RowSource {
  readonly rows: number;
  readonly bytesPerRow: number;
  private readonly queueRows: number;

  private readonly explain: boolean;

  /**
   * @param lane       where they will wait; where that is the lane for attributions the answers are to be attributed
   * @param isCounted  false: nothing is decided by them, so that they are not watched
   */
  constructor(
    readonly rpc: Rpc,
    private readonly request: SplitRequest,
    lane: LaneOptions,
    private readonly isCounted: boolean,
  ) {
    this.explain = lane.program === 'explain';
    this.queueRows = queueRowsOf(rpc, request, lane);
    this.rows = request.rows * this.queueRows;
    this.bytesPerRow = (request.bytes + BYTES_OF_INDEX) / this.rows;
  }

  /** The same rows for another version's lane. */
  on(lane: LaneOptions): DecisionRows {
    return new DecisionRows(this.rpc, this.request, lane, this.isCounted);
  }

  /** The part of a batch as a thread reads it. */
  part({ from, count, at }: Pick<BatchPart, 'from' | 'count' | 'at'>): PartDraft {
    const firstRow = from / this.queueRows;
    const rows = count / this.queueRows;
    return {
      rpc: RPCS.indexOf(this.rpc),
      firstRow,
      rows,
      at,
      isCounted: this.isCounted,
      expectedBytes: Math.ceil((SPARE * this.request.bytes * rows) / this.request.rows) + BYTES_OF_INDEX,
      write: (writer) => this.request.writeSlice(writer, { from: firstRow, count: rows }, this.explain),
    };
  }
}

/** The batch of a lane of decisions: one message a part. */
export function assembleDecisions(parts: readonly BatchPart[]): Tensor[] {
  return packRequests(
    parts.map(({ source, ...range }) => {
      if (!(source instanceof DecisionRows)) throw new RangeError('a lane of decisions takes decisions only');
      return source.part(range);
    }),
  );
}
