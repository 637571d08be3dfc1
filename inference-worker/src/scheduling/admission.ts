import { DomainError } from '@sextant/domain';
import type { BatchLane, Claim, Entry, RowSource } from './batch-lane.js';
import type { ShedReason } from './batch-observer.js';
import type { TenantAccounts } from './tenant-accounts.js';

/** Waiting rows of all models together may hold this much memory. */
const MAX_PENDING_BYTES = 256 * 1024 * 1024;
/** Estimates are of the mean; what is promised is the tail: this and two standard deviations are added. */
const CAUTION = 1.25;
const LEAST_RETRY_MS = 10;
const MOST_RETRY_MS = 5_000;

/** What the admission of a request looks at. */
export interface QueueState {
  /** lanes with rows that wait or run */
  lanes: Iterable<BatchLane>;
  accounts: TenantAccounts;
  /** nothing waits or runs */
  isQuiet: boolean;
  /** threads that can run the lane's batches */
  threadsFor(lane: BatchLane): number;
  /** how late the event loop is, in milliseconds */
  lagMs: number;
  /** refuses a waiting entry so that its place is free */
  evict(lane: BatchLane, entry: Entry, because: DomainError): void;
  /** told of each request that is refused for want of room or time */
  shed(reason: ShedReason): void;
}

/**
 * Lets a request in when it fits the queue and will be answered in time as far as the run times seen so far tell; a request
 * that would be late is refused at once, so that the caller can still do something else.
 *
 * @throws DomainError BATCH_TOO_LARGE when the rows never could fit, QUEUE_FULL (with `retryAfterMs`) when they do not fit now
 */
export function admit(lane: BatchLane, source: RowSource, claim: Claim, state: QueueState): void {
  const { maxPendingRows } = lane.options;
  if (source.rows > maxPendingRows) {
    const message = `${source.rows} rows can never fit the queue of ${maxPendingRows} rows; send several requests`;
    throw new DomainError('BATCH_TOO_LARGE', message);
  }
  const waitMs = state.isQuiet ? 0 : assertInTime(lane, source, claim, state);
  makeRoom(lane, source, claim, { state, waitMs });
}

/** @returns time until the first of the rows starts, in milliseconds */
function assertInTime(lane: BatchLane, source: RowSource, claim: Claim, state: QueueState): number {
  const budgetMs = claim.deadline - Date.now();
  const { waitMs, ownMs } = expectedMs(lane, source.rows, claim, state);
  const caution = CAUTION + 2 * lane.runTime.spread;
  if (waitMs === 0 || caution * (waitMs + ownMs) + state.lagMs <= budgetMs) return waitMs;
  state.shed('estimated_wait');
  const message = `about ${Math.ceil(waitMs + ownMs)} ms of work wait before the answer of ${lane.options.model} and the deadline is in ${Math.floor(budgetMs)} ms; try again later or add workers`;
  throw new DomainError('QUEUE_FULL', message, { retryAfterMs: retryAfter(waitMs + ownMs - budgetMs) });
}

/** Time until the first of the rows starts, and the time that they take. */
function expectedMs(
  lane: BatchLane,
  rows: number,
  { priority, tenant }: Claim,
  state: QueueState,
): { waitMs: number; ownMs: number } {
  let ahead = 0;
  let mine = 0;
  for (const each of state.lanes) {
    const { maxBatchRows } = each.options;
    ahead += each.runTime.estimate(each.pendingRowsUpTo(priority), maxBatchRows);
    mine += each.runTime.estimate(each.rowsOf(tenant), maxBatchRows);
    const running = each.runTime.estimate(each.runningRows, maxBatchRows);
    ahead += running;
    mine += running;
  }
  const threads = Math.max(1, state.threadsFor(lane));
  const fairShare = mine * Math.max(1, state.accounts.active);
  return {
    waitMs: Math.min(ahead, fairShare) / threads,
    ownMs: ridesWithMs(lane, rows),
  };
}

/** The rows come back with the last batch that carries some, which is as full as what waits makes it. */
function ridesWithMs({ options: { maxBatchRows }, pendingRows, runTime }: BatchLane, rows: number): number {
  return runTime.estimate(Math.max(rows, Math.min(pendingRows + rows, maxBatchRows)), maxBatchRows);
}

/** When the queue is full, whoever holds more than a fair share of it makes room, newest first. */
function makeRoom(
  lane: BatchLane,
  source: RowSource,
  { tenant }: Claim,
  { state, waitMs }: { state: QueueState; waitMs: number },
): void {
  const { model, maxPendingRows } = lane.options;
  const bytes = source.rows * source.bytesPerRow;
  const isFull = (): boolean =>
    lane.pendingRows + source.rows > maxPendingRows || state.accounts.bytes + bytes > MAX_PENDING_BYTES;
  while (isFull()) {
    const entry = lane.newestOfLargest();
    const holder = entry?.ticket.tenant;
    const fairRows = maxPendingRows / (lane.tenants + (lane.rowsOf(tenant) > 0 ? 0 : 1));
    const mayPush = entry && holder !== tenant && lane.rowsOf(holder ?? '') > fairRows;
    const because = new DomainError(
      'QUEUE_FULL',
      `${lane.pendingRows} rows wait for ${model} and ${source.rows} more do not fit; try again later or add workers`,
      { retryAfterMs: retryAfter(waitMs) },
    );
    if (!mayPush || lane.rowsOf(tenant) + source.rows > fairRows) {
      state.shed(lane.pendingRows + source.rows > maxPendingRows ? 'queue_full' : 'memory');
      throw because;
    }
    state.shed('fair_share');
    state.evict(lane, entry, because);
  }
}

function retryAfter(ms: number): number {
  return Math.ceil(Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, ms)));
}
