import { describe, expect, it } from 'vitest';
import { float64Bytes, readFloat64, readInt32, toFeatureTable } from './feature-table.js';

describe('toFeatureTable', () => {
  it('makes a column numeric until a text comes, counts booleans as 1 and 0, and keeps missing cells missing', () => {
    const table = toFeatureTable([
      { age: 30, member: true, channel: 'web', zip: 5 },
      { age: null, member: false, channel: 'web', zip: 'A5', note: null },
      { age: Number.NaN, channel: ' ' },
    ]);

    expect(table.rows).toBe(3);
    expect(table.numeric.map(({ name, values }) => [name, [...readFloat64(values)]])).toEqual([
      ['age', [30, Number.NaN, Number.NaN]],
      ['member', [1, 0, Number.NaN]],
    ]);
    expect(
      table.categorical.map(({ name, dictionary, codes }) => [name, dictionary, [...readInt32(codes)]]),
    ).toEqual([
      ['channel', ['web'], [0, 0, -1]],
      ['zip', ['5', 'A5'], [0, 1, -1]],
    ]);
  });

  it('gives a table without columns for rows without values', () => {
    expect(toFeatureTable([{}, { a: null }])).toEqual({ rows: 2, numeric: [], categorical: [] });
    expect(toFeatureTable([])).toEqual({ rows: 0, numeric: [], categorical: [] });
  });
});

describe('readFloat64 and readInt32', () => {
  it('read bytes at any offset of a larger buffer', () => {
    const unaligned = Buffer.concat([Buffer.of(0), float64Bytes(Float64Array.of(1.5, -2))]).subarray(1);
    expect([...readFloat64(unaligned)]).toEqual([1.5, -2]);
  });

  it('refuse bytes that are no whole number of values', () => {
    expect(() => readFloat64(Buffer.alloc(9))).toThrow(RangeError);
    expect(() => readInt32(Buffer.alloc(5))).toThrow(RangeError);
  });
});
