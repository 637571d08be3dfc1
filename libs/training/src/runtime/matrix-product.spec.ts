import { randomNormal, seededRandom } from '@sextant/learning';
import { invertByBlocks, multiply, transpose } from '@sextant/learning/linear-algebra';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openMatrixProduct, type RuntimeProduct } from './matrix-product.js';

describe("ONNX Runtime's matrix product", () => {
  let runtime: RuntimeProduct;
  beforeAll(async () => {
    runtime = await openMatrixProduct();
  });
  afterAll(() => runtime.release());

  const random = seededRandom(4);
  const matrix = (rows: number, columns: number) => ({
    values: Float64Array.from({ length: rows * columns }, () => randomNormal(random)),
    rows,
    columns,
  });

  it('equals plain arithmetic, for small and for large matrices', async () => {
    for (const [m, k, n] of [
      [1, 1, 1],
      [3, 5, 2],
      [90, 110, 70],
    ] as const) {
      const [left, right] = [matrix(m, k), matrix(k, n)];
      const [actual, expected] = [await runtime.product(left, right), await multiply(left, right)];
      expect([actual.rows, actual.columns]).toEqual([m, n]);
      actual.values.forEach((value, i) => expect(value).toBeCloseTo(expected.values[i] ?? 0, 10));
    }
  });

  it('inverts by blocks to 1e-10', async () => {
    const n = 400;
    const x = matrix(n, 30);
    const { values } = await multiply(x, transpose(x));
    for (let i = 0; i < n; i++) values[i * n + i] = (values[i * n + i] ?? 0) + 1;
    const inverse = await invertByBlocks(values.slice(), n, runtime.product);
    const identity = await multiply(
      { values, rows: n, columns: n },
      { values: inverse, rows: n, columns: n },
    );
    const worst = identity.values.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - (i % (n + 1) === 0 ? 1 : 0))),
      0,
    );
    expect(worst).toBeLessThan(1e-10);
  });

  it('refuses shapes that do not fit', async () => {
    await expect(runtime.product(matrix(2, 3), matrix(2, 3))).rejects.toThrow(RangeError);
  });
});
