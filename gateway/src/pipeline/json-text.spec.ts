import { describe, expect, it } from 'vitest';
import { jsonOf } from './json-text.js';

const rows = Array.from({ length: 150 }, (_, i) => ({ id: `e${i}`, 'at"': [i, null, 'ü\u2028'] }));

describe('jsonOf', () => {
  it.each([
    ['nothing', {}],
    ['small values', { a: 1, b: 'x', c: null, d: [1, 2], e: { f: undefined } }],
    ['a large list among others', { 'a"b': rows, b: undefined, c: { d: rows }, e: 'x' }],
    ['a list twice', { a: rows, b: rows }],
  ])('writes %s as JSON.stringify does', (_, record) => {
    expect(jsonOf(record)).toBe(JSON.stringify(record));
    expect(jsonOf(record)).toBe(JSON.stringify(record));
  });

  it('writes a large list once', () => {
    let written = 0;
    const counted = Array.from({ length: 100 }, () => ({ toJSON: () => (written += 1) }));
    jsonOf({ counted });
    jsonOf({ other: 1, counted });
    expect(written).toBe(100);
  });
});
