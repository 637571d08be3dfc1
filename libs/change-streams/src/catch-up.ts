import type { Collection, Document } from 'mongodb';
import { type Change, toChange, tokenOf, WRITES } from './change.js';
import type { FeedSubscription } from './feed-subscription.js';
import { isHistoryLost, lostCursor } from './stream-errors.js';
import { type StreamPosition, timeOf } from './stream-cursor.js';

/** Where the caught-up subscriber joins the others. */
export interface Joining<T> {
  subscription: FeedSubscription<unknown>;
  /** from here on the feed has every change in memory */
  floor(): StreamPosition;
  tell(change: Change<T>): void;
  join(position: StreamPosition): void;
}

const AWAIT_MS = 200;
/** Events that may wait for the subscriber while older ones are still read. */
const READ_AHEAD = 100;

/**
 * Reads what came after `after` for one tenant from the store, as fast as the subscriber reads it, until the feed's memory takes
 * over. Resolves once the store has said that it still knows the place; the rest goes on behind the subscription.
 *
 * @throws DomainError CURSOR_EXPIRED
 */
export async function catchUp<T>(
  collection: Collection<Document>,
  { tenantId, after, read }: { tenantId: string; after: StreamPosition; read: (document: Document) => T },
  joining: Joining<T>,
): Promise<void> {
  const { subscription } = joining;
  const stream = collection.watch(
    [{ $match: { operationType: { $in: [...WRITES] }, 'fullDocument.tenantId': tenantId } }],
    // by time and not by token: the place may be of a change that was another tenant's or that nobody was told of
    { startAtOperationTime: timeOf(after), fullDocument: 'updateLookup', maxAwaitTimeMS: AWAIT_MS },
  );
  let position = after;
  const step = async (): Promise<void> => {
    const raw = await stream.tryNext();
    const change = raw && toChange(raw, read);
    if (change && change.position > after) joining.tell(change);
    const seen = raw ? tokenOf(raw._id) : stream.resumeToken ? tokenOf(stream.resumeToken) : position;
    if (seen > position) position = seen;
  };
  const readOn = async (): Promise<void> => {
    while (position < joining.floor() && !subscription.isEnded) {
      await subscription.untilRoom(READ_AHEAD);
      await step();
    }
    if (!subscription.isEnded) joining.join(position);
  };
  const failed = (error: unknown): void =>
    subscription.fail(isHistoryLost(error) ? lostCursor(error) : error);
  try {
    await step();
  } catch (error) {
    await stream.close();
    void subscription.return();
    throw isHistoryLost(error) ? lostCursor(error) : error;
  }
  void readOn()
    .catch(failed)
    .finally(() => stream.close().catch(() => undefined));
}
