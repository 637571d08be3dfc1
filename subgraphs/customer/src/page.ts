import { checkPageSize, decodeCursor } from '@sextant/domain';

/** Paging arguments as they come from the graph. */
export interface PageArguments {
  first?: number | null;
  after?: string | null;
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
