import { describe, expect, it } from 'vitest';
import { decodeCursor } from './cursor.js';
import { pageOf } from './page.js';

const keyOf = (row: string) => [row];
const keyIn = (cursor: string | null) => cursor && decodeCursor(cursor, ['string'])[0];

describe('pageOf', () => {
  it('holds at most the limit and tells by one row more that the list goes on', () => {
    const page = pageOf(['a', 'b', 'c'], { limit: 2, keyOf });
    expect([page.nodes, page.hasNextPage, keyIn(page.endCursor)]).toEqual([['a', 'b'], true, 'b']);
    expect(pageOf(['a', 'b'], { limit: 2, keyOf }).hasNextPage).toBe(false);
  });

  it('gives each row the cursor that leads behind it', () => {
    const edges = pageOf(['a', 'b', 'c'], { limit: 2, keyOf }).edges();
    expect(edges.map(({ node, cursor }) => [node, keyIn(cursor)])).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
  });

  it('tells Relay where it stands', () => {
    const { startCursor, endCursor, ...flags } = pageOf(['b', 'c'], {
      limit: 1,
      after: 'x',
      keyOf,
    }).pageInfo();
    expect([keyIn(startCursor), keyIn(endCursor)]).toEqual(['b', 'b']);
    expect(flags).toEqual({ hasNextPage: true, hasPreviousPage: true });
    expect(pageOf<string>([], { limit: 1, after: null, keyOf }).pageInfo()).toEqual({
      hasNextPage: false,
      hasPreviousPage: false,
      startCursor: null,
      endCursor: null,
    });
  });
});
