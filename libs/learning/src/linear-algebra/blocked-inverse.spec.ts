import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { invertByBlocks } from './blocked-inverse.js';
import { multiply, transpose } from './matrix-product.js';
import { invertPositiveDefinite } from './positive-definite.js';

/** X·Xᵀ of a random X plus a ridge. */
async function positiveDefinite(n: number, seed: number): Promise<Float64Array> {
  const random = seededRandom(seed);
  const x = { values: Float64Array.from({ length: n * 8 }, () => randomNormal(random)), rows: n, columns: 8 };
  const { values } = await multiply(x, transpose(x));
  for (let i = 0; i < n; i++) values[i * n + i] = (values[i * n + i] ?? 0) + 1;
  return values;
}

describe('multiply and transpose', () => {
  it('equal the product worked out by hand', async () => {
    const left = { values: Float64Array.of(1, 2, 3, 0, 5, 6), rows: 2, columns: 3 };
    const product = await multiply(left, transpose(left));
    expect([...product.values]).toEqual([14, 28, 28, 61]);
    expect([...transpose(left).values]).toEqual([1, 0, 2, 5, 3, 6]);
  });

  it('refuses shapes that do not fit', () => {
    const square = { values: new Float64Array(4), rows: 2, columns: 2 };
    const row = { values: new Float64Array(3), rows: 1, columns: 3 };
    expect(() => multiply(row, square)).toThrow(RangeError);
  });
});

describe('invertByBlocks', () => {
  it('equals the direct inverse on both sides of the size where it begins to halve', async () => {
    for (const n of [1, 2, 127, 128, 129, 300]) {
      const matrix = await positiveDefinite(n, n);
      const expected = invertPositiveDefinite(matrix, n);
      const actual = await invertByBlocks(matrix.slice(), n);
      const worst = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - (expected[i] ?? 0))), 0);
      expect(worst).toBeLessThan(1e-10);
    }
  });

  it('times the matrix is the identity, for any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 129, max: 200 }), fc.nat(1000), async (n, seed) => {
        const matrix = await positiveDefinite(n, seed);
        const inverse = await invertByBlocks(matrix.slice(), n);
        const [a, b] = [matrix, inverse].map((values) => ({ values, rows: n, columns: n }));
        if (!a || !b) return;
        const identity = (await multiply(a, b)).values;
        identity.forEach((value, i) => expect(value).toBeCloseTo(i % (n + 1) === 0 ? 1 : 0, 8));
      }),
      { numRuns: 5 },
    );
  });

  it('reads the lower triangle only', async () => {
    const matrix = await positiveDefinite(150, 3);
    const lower = matrix.map((value, i) => (i % 150 > Math.floor(i / 150) ? Number.NaN : value));
    expect(await invertByBlocks(lower, 150)).toEqual(await invertByBlocks(matrix, 150));
  });

  it('refuses a singular matrix and says where', async () => {
    await expect(invertByBlocks(new Float64Array(200 * 200), 200)).rejects.toMatchObject({
      code: 'DATA_INSUFFICIENT',
      message: expect.stringContaining('rows 0 and 99'),
    });
  });
});
