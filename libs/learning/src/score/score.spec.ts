import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { bandOf, chooseBands, percentileOf, scoreQuantiles } from './bands.js';
import { fitLogistic, linearMargins, logit, sigmoid, softplus } from './logistic.js';
import { minimise } from './minimise.js';

describe('minimise', () => {
  it('finds the minimum of a badly scaled bowl', () => {
    const at = minimise(
      (p, g) => {
        const [x = 0, y = 0] = p;
        g.set([2 * (x - 3), 2e4 * (y + 1)]);
        return (x - 3) ** 2 + 1e4 * (y + 1) ** 2;
      },
      Float64Array.of(50, 50),
    );

    expect(at[0]).toBeCloseTo(3, 6);
    expect(at[1]).toBeCloseTo(-1, 6);
  });
});

describe('fitLogistic', () => {
  const random = seededRandom(9);
  const n = 4000;
  const rows = Float32Array.from({ length: n * 3 }, () => random() * 2 - 1);
  const truth = { coefficients: Float64Array.of(1.5, -2, 0), intercept: -0.5 };
  const labels = [...linearMargins(truth, rows)].map((margin) => (random() < sigmoid(margin) ? 1 : 0));

  it('recovers the weights that made the data', () => {
    const fitted = fitLogistic({ rows, columns: 3, labels }, { l2: 1e-6 });

    for (const [j, weight] of truth.coefficients.entries())
      expect(Math.abs((fitted.coefficients[j] ?? 0) - weight)).toBeLessThan(0.2);
    expect(Math.abs(fitted.intercept - truth.intercept)).toBeLessThan(0.15);
  });

  it('stands where the gradient of the penalised loss is zero', () => {
    const l2 = 0.01;
    const { coefficients, intercept } = fitLogistic({ rows, columns: 3, labels }, { l2 });
    const residuals = [...linearMargins({ coefficients, intercept }, rows)].map(
      (m, i) => sigmoid(m) - (labels[i] ?? 0),
    );
    for (const j of [0, 1, 2]) {
      const slope = residuals.reduce(
        (sum, r, i) => sum + (r * (rows[i * 3 + j] ?? 0)) / n,
        l2 * (coefficients[j] ?? 0),
      );
      expect(Math.abs(slope)).toBeLessThan(1e-6);
    }
    expect(Math.abs(residuals.reduce((sum, r) => sum + r / n, 0))).toBeLessThan(1e-6);
  });

  it('gives log-odds of the rate to a single binary column, by hand', () => {
    const one = fitLogistic(
      { rows: Float32Array.of(1, 1, 1, 1, 0, 0, 0, 0), columns: 1, labels: [1, 1, 1, 0, 1, 0, 0, 0] },
      { l2: 1e-9 },
    );

    expect(one.intercept).toBeCloseTo(logit(0.25), 4);
    expect(one.intercept + (one.coefficients[0] ?? 0)).toBeCloseTo(logit(0.75), 4);
  });

  it('shrinks with the penalty and stays finite on separable data', () => {
    const separable = { rows: Float32Array.of(-1, -2, 1, 2), columns: 1, labels: [0, 0, 1, 1] };
    const sizes = [1e-4, 1e-2, 1].map((l2) => fitLogistic(separable, { l2 }).coefficients[0] ?? 0);

    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes.every((size) => size > 0 && Number.isFinite(size))).toBe(true);
  });

  it('refuses shapes that do not fit, missing cells and a penalty of zero', () => {
    expect(() => fitLogistic({ rows: Float32Array.of(1), columns: 2, labels: [1] }, { l2: 1 })).toThrow(
      RangeError,
    );
    expect(() =>
      fitLogistic({ rows: Float32Array.of(Number.NaN), columns: 1, labels: [1] }, { l2: 1 }),
    ).toThrow('finite');
    expect(() => fitLogistic({ rows: Float32Array.of(1), columns: 1, labels: [1] }, { l2: 0 })).toThrow(
      'positive',
    );
  });

  it('has stable sigmoid, logit and softplus', () => {
    expect(sigmoid(-800)).toBe(0);
    expect(sigmoid(800)).toBe(1);
    expect(softplus(800)).toBe(800);
    fc.assert(
      fc.property(
        fc.double({ min: -20, max: 20, noNaN: true }),
        (x) => Math.abs(logit(sigmoid(x)) - x) < 1e-6,
      ),
    );
  });
});

describe('bands', () => {
  it('calls three times the average odds hot and the average warm, inclusively', () => {
    const bands = chooseBands(0.25);

    expect(bands).toEqual({ warm: 0.25, hot: 0.5 });
    expect([0.249, 0.25, 0.499, 0.5].map((p) => bandOf(bands, p))).toEqual(['COLD', 'WARM', 'WARM', 'HOT']);
  });

  it('places a score among the quantiles', () => {
    const quantiles = scoreQuantiles(Float64Array.from({ length: 201 }, (_, i) => i / 200));

    expect(quantiles).toHaveLength(101);
    expect(percentileOf(quantiles, -1)).toBe(0);
    expect(percentileOf(quantiles, 0)).toBe(0);
    expect(percentileOf(quantiles, 0.255)).toBeCloseTo(25.5, 9);
    expect(percentileOf(quantiles, 1)).toBe(100);
    expect(percentileOf(quantiles, 2)).toBe(100);
  });

  it('puts equal scores in the middle and rises with the score', () => {
    expect(percentileOf(scoreQuantiles([0.3, 0.3, 0.3]), 0.3)).toBe(50);
    const quantiles = scoreQuantiles([0.1, 0.1, 0.2, 0.4, 0.4, 0.4, 0.9]);
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (a, b) => {
          const [low, high] = a < b ? [a, b] : [b, a];
          return percentileOf(quantiles, low) <= percentileOf(quantiles, high);
        },
      ),
    );
  });
});
