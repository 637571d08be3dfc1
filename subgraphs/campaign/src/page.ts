import { decodeCursor, DomainError, encodeCursor } from '@sextant/domain';

/** A page of a cursor connection. */
export interface Page<T> {
  nodes: T[];
  /** null on an empty page */
  endCursor: string | null;
  hasNextPage: boolean;
}

/** The place of a row in a list that is sorted by time and then id, both descending. */
export interface TimeKey {
  at: Date;
  id: string;
}

/** A page out of `limit + 1` rows: the last one only tells that there is more. */
export function pageOf<T>(rows: readonly T[], limit: number, cursorOf: (row: T) => string): Page<T> {
  const nodes = rows.slice(0, limit);
  const last = nodes.at(-1);
  return { nodes, endCursor: last === undefined ? null : cursorOf(last), hasNextPage: rows.length > limit };
}

export function encodeTimeCursor({ at, id }: TimeKey): string {
  return encodeCursor([at.getTime(), id]);
}

/** @throws DomainError INVALID_CURSOR */
export function decodeTimeCursor(cursor: string): TimeKey {
  const [atMs, id] = decodeCursor(cursor, ['number', 'string']);
  const at = new Date(Number(atMs));
  if (Number.isNaN(at.getTime()))
    throw new DomainError('INVALID_CURSOR', 'after must be an endCursor of the same list', { path: 'after' });
  return { at, id: String(id) };
}
