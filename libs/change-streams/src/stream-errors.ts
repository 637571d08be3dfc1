import { DomainError } from '@sextant/domain';
import { MongoServerError } from 'mongodb';

const CHANGE_STREAM_HISTORY_LOST = 286;
/** The oplog does not reach back to the time that was asked for. */
const OPLOG_TOO_SHORT = new Set([CHANGE_STREAM_HISTORY_LOST, 136, 40576]);

/** True where the store has dropped the changes from the place asked for on. */
export function isHistoryLost(error: unknown): boolean {
  return error instanceof MongoServerError && OPLOG_TOO_SHORT.has(Number(error.code));
}

export function lostCursor(cause?: unknown): DomainError {
  return new DomainError(
    'CURSOR_EXPIRED',
    'what came after this cursor is no longer kept: read the present state with a query and subscribe without after',
    { path: 'after', cause },
  );
}
