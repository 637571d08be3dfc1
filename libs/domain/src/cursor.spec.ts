import { describe, expect, it } from 'vitest';
import { checkPageSize, decodeCursor, encodeCursor } from './cursor.js';

describe('cursors', () => {
  it('carry the sort key of the last row', () => {
    expect(decodeCursor(encodeCursor(['cus_1', 1700000000000]), ['string', 'number'])).toEqual([
      'cus_1',
      1700000000000,
    ]);
  });

  it.each([
    '',
    'not base64 ☂',
    encodeCursor(['only one']),
    encodeCursor([1, 'x']),
    Buffer.from('{"$gt":""}').toString('base64url'),
  ])('refuse %j, which is none of ours', (cursor) => {
    expect(() => decodeCursor(cursor, ['string', 'number'])).toThrow(/endCursor/);
  });

  it.each([0, -1, 101, 1.5, Number.NaN])('refuse a page of %d rows', (first) => {
    expect(() => checkPageSize(first, 100)).toThrow(/between 1 and 100/);
  });

  it('take the largest page', () => {
    expect(checkPageSize(100, 100)).toBe(100);
  });
});
