import { decodeCursor, DomainError } from '@sextant/domain';

/** The place of a row in a list that is sorted by time and then id, both descending. */
export interface TimeKey {
  at: Date;
  id: string;
}

/** What a cursor of such a list is made of. */
export function timeKey({ at, id }: TimeKey): [number, string] {
  return [at.getTime(), id];
}

/** @throws DomainError INVALID_CURSOR */
export function decodeTimeCursor(cursor: string): TimeKey {
  const [atMs, id] = decodeCursor(cursor, ['number', 'string']);
  const at = new Date(Number(atMs));
  if (Number.isNaN(at.getTime()))
    throw new DomainError('INVALID_CURSOR', 'after must be an endCursor of the same list', { path: 'after' });
  return { at, id: String(id) };
}
