import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measuredLift, rocCurve, weightedAveragePrecision, weightedLift } from './classification.js';

const ones = (n: number): Float64Array => new Float64Array(n).fill(1);

describe('weightedAveragePrecision', () => {
  it('is that of a worked example (scikit-learn: average_precision_score)', () => {
    // Ranks 0.8+, 0.4−, 0.35+, 0.1−: 1/2 · 1/1 + 1/2 · 2/3.
    const value = weightedAveragePrecision({ labels: [0, 0, 1, 1], scores: [0.1, 0.4, 0.35, 0.8] })(ones(4));

    expect(value).toBeCloseTo(0.8333333333, 9);
  });

  it('is the rate where all scores are equal, and NaN without a positive', () => {
    expect(weightedAveragePrecision({ labels: [1, 0, 0, 0], scores: [2, 2, 2, 2] })(ones(4))).toBe(0.25);
    expect(weightedAveragePrecision({ labels: [0, 0], scores: [1, 2] })(ones(2))).toBeNaN();
  });

  it('counts a weight of 2 as the row twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 5 })), { minLength: 1 }),
        (rows) => {
          const labels = rows.map(([label]) => label);
          const scores = rows.map(([, score]) => score);
          const twice = weightedAveragePrecision({
            labels: [...labels, labels[0] ?? 0],
            scores: [...scores, scores[0] ?? 0],
          })(ones(rows.length + 1));
          const weights = ones(rows.length);
          weights[0] = 2;
          const weighted = weightedAveragePrecision({ labels, scores })(weights);
          if (Number.isNaN(twice)) expect(weighted).toBeNaN();
          else expect(weighted).toBeCloseTo(twice, 12);
        },
      ),
    );
  });
});

describe('weightedLift', () => {
  it('is the rate of the top over the rate of all', () => {
    const labels = [1, 1, 0, 0, 1, 0, 0, 0, 0, 0];
    const scores = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

    expect(weightedLift({ labels, scores }, 0.2)(ones(10))).toBeCloseTo(1 / 0.3, 12);
    expect(weightedLift({ labels, scores }, 0.25)(ones(10))).toBeCloseTo(2 / 2.5 / 0.3, 12);
    expect(weightedLift({ labels, scores }, 1)(ones(10))).toBeCloseTo(1, 12);
  });

  it('is 1 where all scores are equal', () => {
    expect(weightedLift({ labels: [1, 0, 0, 1], scores: [1, 1, 1, 1] }, 0.1)(ones(4))).toBeCloseTo(1, 12);
  });

  it('refuses a share outside (0, 1] and lengths that differ', () => {
    const input = { labels: [1], scores: [1] };
    expect(() => weightedLift(input, 0)).toThrow('share must be in (0, 1]');
    expect(() => weightedLift(input, 1.1)).toThrow('share must be in (0, 1]');
    expect(() => weightedLift({ labels: [1], scores: [] }, 0.1)).toThrow('lengths differ');
  });

  it('has an interval that is the same for the same seed', () => {
    const input = { labels: [1, 0, 1, 0, 0, 1], scores: [6, 5, 4, 3, 2, 1] };
    const first = measuredLift(input, 0.5, { seed: 2 });

    expect(measuredLift(input, 0.5, { seed: 2 })).toEqual(first);
    expect(first.low).toBeLessThanOrEqual(first.value);
    expect(first.high).toBeGreaterThanOrEqual(first.value);
  });
});

describe('rocCurve', () => {
  it('goes from (0, 0) to (1, 1) and never inside a tie', () => {
    const curve = rocCurve({ labels: [1, 0, 1, 0], scores: [3, 2, 2, 1] });

    expect(curve).toEqual([
      [0, 0],
      [0, 0.5],
      [0.5, 1],
      [1, 1],
    ]);
  });
});
