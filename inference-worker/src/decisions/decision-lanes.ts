import type { PreparedTask } from '../models/prepared-task.js';
import type { BatchPart, RowSource } from '../scheduling/batch-lane.js';
import type { Tensor } from '../tensors/tensor.js';
import type { DecisionSource } from './programs/decision-model.js';
import { type Rpc, RPCS } from './programs/decision-program.js';
import type { SplitRequest } from './split-request.js';
import { type PartDraft, packRequests } from './wire/part-messages.js';

/** Attributions of trees cost milliseconds a row: short batches, so that nothing waits long behind them. */
const MAX_EXPLAINED = 16;
/** A price search asks the model at a few prices to a few hundred; it is queued as this many rows. */
const ROWS_OF_QUOTE = 32;
const BYTES_OF_INDEX = 64;
/** Rows differ in length. */
const SPARE = 1.1;

/** Rows that a row of the call counts for in queues and batches. */
export function queueRowsOf(rpc: Rpc): number {
  return rpc === 'QuotePrices' ? ROWS_OF_QUOTE : 1;
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
export function decisionSourceOf(task: PreparedTask, maxRows: number): DecisionSource | null {
  if (task.task === 'tensor') return null;
  return { spec: task.spec, weights: 'weights' in task ? task.weights : null, maxRows };
}

/** Rows of one decision call, as they wait in a lane. */
export class DecisionRows implements RowSource {
  readonly rows: number;
  readonly bytesPerRow: number;
  private readonly queueRows: number;

  /** @param explain  whether the answers are to be attributed; the lane must be the one for that */
  constructor(
    readonly rpc: Rpc,
    private readonly request: SplitRequest,
    private readonly explain: boolean,
  ) {
    this.queueRows = queueRowsOf(rpc);
    this.rows = request.rows * this.queueRows;
    this.bytesPerRow = (request.bytes + BYTES_OF_INDEX) / this.rows;
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
