import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { shareBounds } from './share-bounds.js';

describe('shareBounds', () => {
  it('says nothing where nothing was counted', () => {
    expect(shareBounds(0, 0, 0.05)).toEqual({ low: 0, high: 1 });
  });

  it('equals the definition for no hit of one, worked out by hand', () => {
    // The mixture is B(½, 1½) / B(½, ½) = ½, so (1 − p) ≥ alpha / 2 is what stays.
    expect(shareBounds(0, 1, 0.2)).toEqual({ low: 0, high: expect.closeTo(0.9, 12) as number });
    expect(shareBounds(1, 1, 0.2)).toEqual({ low: expect.closeTo(0.1, 12) as number, high: 1 });
  });

  it('holds the observed share and shrinks with more of the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, f) => {
        const hits = Math.round(n * f);
        const few = shareBounds(hits, n, 0.01);
        const many = shareBounds(hits * 10, n * 10, 0.01);
        expect(few.low).toBeLessThanOrEqual(hits / n);
        expect(few.high).toBeGreaterThanOrEqual(hits / n);
        expect(many.high - many.low).toBeLessThanOrEqual(few.high - few.low + 1e-12);
      }),
    );
  });

  it('loses the true chance at some look in at most alpha of the sequences', () => {
    const random = seededRandom(5);
    let lost = 0;
    for (let run = 0; run < 300; run += 1) {
      let hits = 0;
      for (let count = 1; count <= 400; count += 1) {
        hits += random() < 0.03 ? 1 : 0;
        const { low, high } = shareBounds(hits, count, 0.1);
        if (low > 0.03 || high < 0.03) {
          lost += 1;
          break;
        }
      }
    }
    expect(lost / 300).toBeLessThan(0.1);
  });

  it.each([
    [2, 1, 0.05],
    [-1, 1, 0.05],
    [1, 2, 0],
    [Number.NaN, 2, 0.1],
  ])('refuses %d of %d at %d', (hits, count, alpha) => {
    expect(() => shareBounds(hits, count, alpha)).toThrow(RangeError);
  });
});
