import { describe, expect, it } from 'vitest';
import { jsonPartsOf } from './json-text.js';

const rows = Array.from({ length: 150 }, (_, i) => ({ id: `e${i}`, 'at"': [i, null, 'ü\u2028'] }));

const jsonOf = (record: Readonly<Record<string, unknown>>) =>
  Buffer.concat(jsonPartsOf(record).map((part) => Buffer.from(part))).toString('utf8');

const growing = Array.from({ length: 500 }, (_, i) => 'ä'.repeat(i * 3));

describe('jsonPartsOf', () => {
  it.each([
    ['nothing', {}],
    ['small values', { a: 1, b: 'x', c: null, d: [1, 2], e: { f: undefined } }],
    ['a large list among others', { 'a"b': rows, b: undefined, c: { d: rows }, e: 'x' }],
    ['a list twice', { a: rows, b: rows }],
    ['a list whose start is shorter than its end', { a: growing }],
    ['a list of a step and one', { a: Array.from({ length: 101 }, (_, i) => i), b: [undefined] }],
    ['letters of three and four bytes', { a: Array.from({ length: 120 }, () => '√\u{1f600}'.repeat(400)) }],
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
