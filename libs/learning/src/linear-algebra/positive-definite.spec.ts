import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { invertPositiveDefinite } from './positive-definite.js';

/** XᵀX + I of a random X, positive definite for sure. */
function positiveDefinite(n: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  const x = Array.from({ length: n + 2 }, () => Array.from({ length: n }, () => randomNormal(random)));
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++)
      a[i * n + j] = x.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), i === j ? 1 : 0);
  }
  return a;
}

function largestDistanceFromIdentity(a: Float64Array, b: Float64Array, n: number): number {
  let largest = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += (a[i * n + k] ?? 0) * (b[k * n + j] ?? 0);
      largest = Math.max(largest, Math.abs(sum - (i === j ? 1 : 0)));
    }
  }
  return largest;
}

describe('invertPositiveDefinite', () => {
  it('inverts [[4, 2], [2, 3]] to [[3, −2], [−2, 4]] / 8', () => {
    const inverse = invertPositiveDefinite(Float64Array.of(4, 2, 2, 3), 2);
    for (const [i, expected] of [3 / 8, -2 / 8, -2 / 8, 4 / 8].entries())
      expect(inverse[i]).toBeCloseTo(expected, 14);
  });

  it('gives the identity when multiplied back, for any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 23 }), fc.integer(), (n, seed) => {
        const a = positiveDefinite(n, seed);
        expect(largestDistanceFromIdentity(a, invertPositiveDefinite(a, n), n)).toBeLessThan(1e-9);
      }),
      { numRuns: 60 },
    );
  });

  it('is exactly symmetric and reads only the lower triangle', () => {
    const a = positiveDefinite(9, 4);
    const inverse = invertPositiveDefinite(a, 9);
    const garbled = a.map((value, at) => (at % 9 > Math.floor(at / 9) ? Number.NaN : value));
    expect(invertPositiveDefinite(garbled, 9)).toEqual(inverse);
    for (let i = 0; i < 9; i++)
      for (let j = 0; j < 9; j++) expect(inverse[i * 9 + j]).toBe(inverse[j * 9 + i]);
  });

  it('refuses singular, indefinite and not finite matrices by code', () => {
    const code = expect.objectContaining({ code: 'DATA_INSUFFICIENT' });
    expect(() => invertPositiveDefinite(Float64Array.of(1, 1, 1, 1), 2)).toThrow(code);
    expect(() => invertPositiveDefinite(Float64Array.of(-1), 1)).toThrow(code);
    expect(() => invertPositiveDefinite(Float64Array.of(Number.NaN), 1)).toThrow(code);
  });

  it('of nothing is nothing', () => {
    expect(invertPositiveDefinite(new Float64Array(0), 0)).toHaveLength(0);
  });
});
