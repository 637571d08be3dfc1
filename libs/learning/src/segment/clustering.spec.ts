import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomInteger, randomNormal, seededRandom } from '../random/seeded-random.js';
import { adjustedRandIndex, silhouettes } from './cluster-quality.js';
import { fitGaussianMixture, mixturePosterior } from './gaussian-mixture.js';
import { fitKMeans } from './k-means.js';
import { pointsOf, squaredDistance } from './points.js';
import { applyScaling, fitScaling } from './scaling.js';
import { fitSparseKMeans } from './sparse-k-means.js';

/** Clouds around given middles, `each` rows each, with `noise` more columns of pure noise. */
export function clouds(middles: readonly (readonly number[])[], each: number, noise = 0, seed = 1) {
  const random = seededRandom(seed);
  const labels: number[] = [];
  const rows = middles.flatMap((middle, label) =>
    Array.from({ length: each }, () => {
      labels.push(label);
      return [
        ...middle.map((m) => m + 0.5 * randomNormal(random)),
        ...Array.from({ length: noise }, () => randomNormal(random)),
      ];
    }),
  );
  return { rows, labels };
}

const CORNERS = [
  [0, 0],
  [6, 0],
  [0, 6],
  [6, 6],
];

describe('adjustedRandIndex', () => {
  it('is 0.24242 for the example of scikit-learn’s guide, 1 for renamed clusters', () => {
    expect(adjustedRandIndex([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2])).toBeCloseTo(0.242424, 6);
    expect(adjustedRandIndex([0, 0, 1, 1], [7, 7, 3, 3])).toBe(1);
    expect(adjustedRandIndex([0, 0, 1, 1], [0, 0, 1, 2])).toBeCloseTo(0.571429, 6);
    expect(adjustedRandIndex([], [])).toBe(1);
    expect(() => adjustedRandIndex([0], [])).toThrow(RangeError);
  });

  it('is near 0 for random partitions, and the same both ways', () => {
    const random = seededRandom(3);
    const draw = () => Array.from({ length: 2_000 }, () => randomInteger(random, 4));
    const [a, b] = [draw(), draw()];
    expect(Math.abs(adjustedRandIndex(a, b))).toBeLessThan(0.01);
    expect(adjustedRandIndex(a, b)).toBeCloseTo(adjustedRandIndex(b, a), 12);
  });
});

describe('silhouettes', () => {
  it('are (b − a) / max(a, b) worked out by hand', () => {
    const points = pointsOf([[0], [1], [4], [6]]);
    const [first, second, third] = silhouettes(points, [0, 0, 1, 1]);
    expect(first).toBeCloseTo((5 - 1) / 5, 12); // own mean 1, other mean (4 + 6) / 2
    expect(second).toBeCloseTo((4 - 1) / 4, 12);
    expect(third).toBeCloseTo((3.5 - 2) / 3.5, 12);
  });

  it('are 0 for a cluster of one, absent for one cluster, in [−1, 1] for any labels', () => {
    expect(silhouettes(pointsOf([[0], [1], [9]]), [0, 0, 1])[2]).toBe(0);
    expect(silhouettes(pointsOf([[0], [1]]), [0, 0])).toHaveLength(0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: -9, max: 9, noNaN: true }), fc.nat(3)), { minLength: 2 }),
        (rows) => {
          const values = silhouettes(
            pointsOf(rows.map(([x]) => [x])),
            rows.map(([, label]) => label),
          );
          expect(values.every((value) => value >= -1 && value <= 1)).toBe(true);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of a sample are close to those of all rows', () => {
    const { rows, labels } = clouds(CORNERS, 200);
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const all = mean(silhouettes(pointsOf(rows), labels));
    expect(mean(silhouettes(pointsOf(rows), labels, { sample: 200 }))).toBeCloseTo(all, 1);
  });
});

describe('fitKMeans', () => {
  it('finds the two obvious pairs and their means', () => {
    const { centres, labels, inertia } = fitKMeans(pointsOf([[0], [2], [10], [12]]), { k: 2, seed: 1 });
    expect([...centres.values].toSorted((a, b) => a - b)).toEqual([1, 11]);
    expect(labels[0]).toBe(labels[1]);
    expect(inertia).toBe(4);
  });

  it('finds clouds, the same for the same seed, with cells missing too', () => {
    const { rows, labels } = clouds(CORNERS, 60);
    const holed = pointsOf(rows.map(([x = 0, y = 0], i) => (i % 9 === 0 ? [NaN, y] : [x, y])));
    expect(adjustedRandIndex(fitKMeans(pointsOf(rows), { k: 4, seed: 5 }).labels, labels)).toBe(1);
    const [a, b] = [fitKMeans(holed, { k: 4, seed: 5 }), fitKMeans(holed, { k: 4, seed: 5 })];
    expect(a).toEqual(b);
    const known = labels.map((_, i) => i).filter((i) => i % 9 !== 0);
    expect(
      adjustedRandIndex(
        known.map((i) => a.labels[i] ?? 0),
        known.map((i) => labels[i] ?? 0),
      ),
    ).toBe(1);
  });

  it('takes equal rows and as many clusters as rows, and refuses more', () => {
    expect(fitKMeans(pointsOf([[1], [1], [1]]), { k: 2, seed: 1 }).inertia).toBe(0);
    expect(fitKMeans(pointsOf([[1], [2], [3]]), { k: 3, seed: 1 }).inertia).toBe(0);
    expect(fitKMeans(pointsOf([[1]]), { k: 1, seed: 1 }).labels).toEqual(Int32Array.of(0));
    expect(() => fitKMeans(pointsOf([[1]]), { k: 2, seed: 1 })).toThrow(RangeError);
    expect(() => fitKMeans(pointsOf([[1]]), { k: 0.5, seed: 1 })).toThrow(RangeError);
  });

  it('scales partial distances up to all columns', () => {
    const points = pointsOf([
      [0, NaN],
      [3, 4],
      [NaN, NaN],
    ]);
    expect(squaredDistance(points, points, { row: 0, other: 1 })).toBe(18);
    expect(squaredDistance(points, points, { row: 1, other: 2 })).toBe(0);
  });
});

describe('fitSparseKMeans', () => {
  it('gives weight to the columns in which clusters differ, and so finds clusters that noise hides from k-means', () => {
    const { rows, labels } = clouds(
      [
        [0, 0, 0],
        [2.6, 0, 2.6],
        [0, 2.6, 2.6],
      ],
      80,
      20,
    );
    const scaled = applyScaling(pointsOf(rows), fitScaling(pointsOf(rows)));
    const sparse = fitSparseKMeans(scaled, { k: 3, seed: 2 });
    expect(adjustedRandIndex(sparse.labels, labels)).toBeGreaterThan(0.9);
    expect(Math.min(...sparse.weights.slice(0, 3))).toBeGreaterThan(5 * Math.max(...sparse.weights.slice(3)));
    expect(sparse.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(23, 6);
  });
});

describe('fitGaussianMixture', () => {
  it('of one component is mean and covariance, with their log-likelihood', () => {
    const rows = [
      [0, 0],
      [2, 0],
      [0, 2],
      [2, 2],
    ];
    const options = { k: 1, seed: 1, ridge: 1e-12 } as const;
    const { means, factors, logLikelihood, bic } = fitGaussianMixture(pointsOf(rows), {
      ...options,
      covariance: 'full',
    });
    expect(means.values[0]).toBeCloseTo(1, 6);
    expect([...(factors[0] ?? [])].map((x) => Math.round(x * 1e6) / 1e6)).toEqual([1, 0, 0, 1]);
    const expected = -4 * (Math.log(2 * Math.PI) + 1); // each row one standard deviation off in both columns
    expect(logLikelihood).toBeCloseTo(expected, 6);
    expect(bic).toBeCloseTo(-2 * expected + 5 * Math.log(4), 6);
  });

  it('separates a narrow cloud from a wide one, and its criterion prefers two components', () => {
    const random = seededRandom(4);
    const labels = Array.from({ length: 600 }, (_, i) => i % 2);
    const rows = labels.map((label) =>
      label === 1 ? [4 + 0.2 * randomNormal(random)] : [randomNormal(random)],
    );
    const fits = [1, 2, 3].map((k) =>
      fitGaussianMixture(pointsOf(rows), { k, seed: 1, covariance: 'diagonal' }),
    );
    expect(fits[1]?.bic).toBeLessThan(fits[0]?.bic ?? 0);
    expect(fits[1]?.bic).toBeLessThan(fits[2]?.bic ?? 0);
    expect(adjustedRandIndex(fits[1]?.labels ?? [], labels)).toBeGreaterThan(0.95);
    const [first] = fits;
    if (first) expect(mixturePosterior(first, pointsOf([[7]]))).toEqual(Float64Array.of(1));
  });

  it('survives equal rows and refuses missing cells', () => {
    const equal = fitGaussianMixture(pointsOf([[1], [1], [1]]), { k: 2, seed: 1, covariance: 'full' });
    expect(Number.isFinite(equal.logLikelihood)).toBe(true);
    expect(() => fitGaussianMixture(pointsOf([[NaN]]), { k: 1, seed: 1, covariance: 'full' })).toThrow(
      RangeError,
    );
  });
});

describe('fitScaling', () => {
  it('takes logarithms of skewed columns only, bounds extremes, keeps missing cells', () => {
    const random = seededRandom(1);
    const rows = Array.from({ length: 500 }, () => [
      Math.exp(2 * randomNormal(random)),
      randomNormal(random),
      5,
    ]);
    const scales = fitScaling(pointsOf(rows));
    expect(scales.map(({ log }) => log)).toEqual([true, false, false]);
    const scaled = applyScaling(pointsOf([[1e9, NaN, 5]]), scales);
    expect([...scaled.values]).toEqual([3, NaN, 0]);
  });
});
