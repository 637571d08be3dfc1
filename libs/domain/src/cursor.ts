import { DomainError } from './errors.js';

/** Keyset cursors: the sort key of the last row, opaque to clients. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');
}

/**
 * @param cursor  as given by {@link encodeCursor}
 * @param types   expected `typeof` of each part
 * @throws DomainError INVALID_CURSOR when it was not made by us for this list
 */
export function decodeCursor(cursor: string, types: readonly ('string' | 'number')[]): (string | number)[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(key) && key.length === types.length && key.every((part, i) => typeof part === types[i]))
      return key;
  } catch {
    // falls through to the one error below
  }
  throw new DomainError('INVALID_CURSOR', 'after must be an endCursor of the same list', { path: 'after' });
}

/** Refuses page sizes outside 1..max instead of silently clamping, so that clients notice. */
export function checkPageSize(first: number, max: number): number {
  if (!Number.isInteger(first) || first < 1 || first > max) {
    throw new DomainError('INVALID_INPUT', `first must be between 1 and ${max}, got ${first}`, {
      path: 'first',
    });
  }
  return first;
}
