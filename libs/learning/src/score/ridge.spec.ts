import { describe, expect, it } from 'vitest';
import { linearMargins } from './logistic.js';
import { fitRidge } from './ridge.js';

describe('fitRidge', () => {
  it('gives the slope worked out by hand: x = −1, 0, 1 and y = −1, 0, 2 with l2 = 1/3', () => {
    // mean(xy) = 1, mean(x²) = 2/3, so slope = 1 / (2/3 + 1/3) = 1; the intercept is the mean of y.
    const { coefficients, intercept } = fitRidge(
      { rows: Float32Array.of(-1, 0, 1), columns: 1, values: [-1, 0, 2] },
      { l2: 1 / 3 },
    );
    expect(coefficients[0]).toBeCloseTo(1, 5);
    expect(intercept).toBeCloseTo(1 / 3, 5);
  });

  it('counts a row of weight 2 like two rows', () => {
    const twice = fitRidge({ rows: Float32Array.of(0, 1, 1), columns: 1, values: [0, 1, 1] }, { l2: 0.1 });
    const weighted = fitRidge(
      { rows: Float32Array.of(0, 1), columns: 1, values: [0, 1], weights: [1, 2] },
      { l2: 0.1 },
    );
    expect(weighted.coefficients[0]).toBeCloseTo(twice.coefficients[0] ?? NaN, 5);
  });

  it('shares the slope between equal columns, and without columns answers the mean', () => {
    const { coefficients } = fitRidge(
      { rows: Float32Array.of(-1, -1, 1, 1), columns: 2, values: [-1, 1] },
      { l2: 1e-3 },
    );
    expect(coefficients[0]).toBeCloseTo(coefficients[1] ?? NaN, 6);
    expect(linearMargins({ coefficients, intercept: 0 }, Float32Array.of(1, 1))[0]).toBeCloseTo(1, 2);
    expect(
      fitRidge({ rows: new Float32Array(0), columns: 0, values: [1, 3] }, { l2: 1 }).intercept,
    ).toBeCloseTo(2, 5);
  });

  it.each([
    [{ rows: Float32Array.of(1), columns: 2, values: [1] }, 1],
    [{ rows: Float32Array.of(NaN), columns: 1, values: [1] }, 1],
    [{ rows: Float32Array.of(1), columns: 1, values: [Infinity] }, 1],
    [{ rows: Float32Array.of(1), columns: 1, values: [1] }, 0],
    [{ rows: Float32Array.of(1), columns: 1, values: [1], weights: [0] }, 1],
    [{ rows: new Float32Array(0), columns: 1, values: [] }, 1],
  ])('refuses %j with l2 %d', (input, l2) => {
    expect(() => fitRidge(input, { l2 })).toThrow(RangeError);
  });
});
