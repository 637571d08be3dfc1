import { checkPageSize, decodeCursor, encodeCursor } from '@sextant/domain';

/** A page of a cursor connection. */
export interface Page<T> {
  nodes: T[];
  /** null on an empty page */
  endCursor: string | null;
  hasNextPage: boolean;
}

/** Paging arguments as they come from the graph. */
export interface PageArguments {
  first?: number | null;
  after?: string | null;
}

/** A page out of `limit + 1` rows: the last one only tells that there is more. */
export function pageOf<T>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => readonly (string | number)[],
): Page<T> {
  const nodes = rows.slice(0, limit);
  const last = nodes.at(-1);
  return {
    nodes,
    endCursor: last === undefined ? null : encodeCursor(keyOf(last)),
    hasNextPage: rows.length > limit,
  };
}

/** The page size, `fallback` when none was given. @throws DomainError INVALID_INPUT outside 1..max */
export function limitOf({ first }: PageArguments, bounds: { fallback: number; max: number }): number {
  return checkPageSize(first ?? bounds.fallback, bounds.max);
}

/** The id after which a list by id goes on; null for its beginning. @throws DomainError INVALID_CURSOR */
export function idAfter({ after }: PageArguments): string | null {
  return after == null ? null : String(decodeCursor(after, ['string'])[0]);
}

/** The time and id after which a list by time goes on. @throws DomainError INVALID_CURSOR */
export function timeAfter({ after }: PageArguments): { atMs: number; id: string } | null {
  if (after == null) return null;
  const [atMs, id] = decodeCursor(after, ['number', 'string']);
  return { atMs: Number(atMs), id: String(id) };
}
