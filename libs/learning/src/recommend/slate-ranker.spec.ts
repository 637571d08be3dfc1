import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankSlate } from './rank-slate.js';
import { SlateRanker } from './slate-ranker.js';

const score = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0),
);
const row = fc.record({
  scores: fc.array(score, { minLength: 12, maxLength: 12 }),
  exclude: fc.uniqueArray(fc.integer({ min: 0, max: 11 })),
  first: fc.integer({ min: 1, max: 15 }),
});

describe('SlateRanker', () => {
  it('ranks one row after the other as rankSlate does, ties, barred items and NaN included', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
        const ranker = new SlateRanker(12, 15);
        for (const { scores, exclude, first } of rows) {
          ranker.next();
          for (const item of exclude) ranker.bar(item);
          const ranked = ranker.rank(Float64Array.from(scores), first);
          expect([...ranked]).toEqual(rankSlate(scores, { exclude: new Set(exclude), first }));
        }
      }),
    );
  });

  it('ranks a catalogue shorter than the slate and an empty one', () => {
    const two = new SlateRanker(2, 100);
    two.next();
    expect([...two.rank(Float32Array.of(1, 2), 100)]).toEqual([1, 0]);
    expect([...new SlateRanker(0, 10).rank(new Float32Array(), 10)]).toEqual([]);
  });

  it('refuses a length that is none', () => {
    expect(() => new SlateRanker(2, 2).rank(Float32Array.of(1, 2), 0)).toThrow(/positive integer/);
  });
});
