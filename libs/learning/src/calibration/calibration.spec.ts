import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { sigmoid } from '../score/logistic.js';
import { normalQuantile } from './normal-quantile.js';
import { applyPlatt, crossFittedProbabilities, fitPlatt } from './platt.js';
import { reliabilityBins, scoreInterval, wilsonInterval } from './reliability.js';

const random = seededRandom(4);
const margins = Float64Array.from({ length: 20_000 }, () => random() * 8 - 4);
const labels = Array.from(margins, (margin) => (random() < sigmoid(0.5 * margin - 1) ? 1 : 0));

describe('fitPlatt', () => {
  it('finds the slope and shift of a miscalibrated margin', () => {
    const { a, b } = fitPlatt(margins, labels);

    expect(Math.abs(a - 0.5)).toBeLessThan(0.03);
    expect(Math.abs(b + 1)).toBeLessThan(0.06);
  });

  it('gives everyone the rate where the margin orders backwards', () => {
    const calibration = fitPlatt([3, 2, 1, 0], [0, 0, 1, 1]);

    expect(calibration.a).toBe(0);
    expect(applyPlatt(calibration, 100)).toBeCloseTo(0.5, 12);
  });

  it('never gives 0 or 1 to one class, to separable rows or to equal margins', () => {
    const oneClass = fitPlatt([1, 2, 3], [1, 1, 1]);
    expect(applyPlatt(oneClass, 2)).toBeCloseTo(4 / 5, 3);
    const separable = fitPlatt([-2, -1, 1, 2], [0, 0, 1, 1]);
    expect(applyPlatt(separable, 1)).toBeGreaterThan(0.5);
    expect(applyPlatt(separable, 1)).toBeLessThan(0.999);
    expect(applyPlatt(fitPlatt([1, 1, 1, 1], [1, 0, 0, 0]), 1)).toBeCloseTo((2 / 3 + 3 / 5) / 4, 6);
  });

  it('calibrates each half by the other', () => {
    const probabilities = crossFittedProbabilities(margins, labels);
    const odd = fitPlatt(
      margins.filter((_, i) => i % 2 === 1),
      labels.filter((_, i) => i % 2 === 1),
    );

    expect(probabilities[0]).toBe(applyPlatt(odd, margins[0] ?? 0));
    expect(probabilities[1]).not.toBe(applyPlatt(odd, margins[1] ?? 0));
  });

  it('refuses no rows, unequal lengths and margins that are not finite', () => {
    expect(() => fitPlatt([], [])).toThrow(RangeError);
    expect(() => fitPlatt([1], [1, 0])).toThrow(RangeError);
    expect(() => fitPlatt([Number.NaN], [1])).toThrow('finite');
  });
});

describe('reliability', () => {
  it('counts every row once, in ascending bins of about equal size that end at 1', () => {
    const scores = margins.map((margin) => sigmoid(0.5 * margin - 1));
    const bins = reliabilityBins(scores, labels);

    expect(bins).toHaveLength(20);
    expect(bins.reduce((sum, { rows }) => sum + rows, 0)).toBe(20_000);
    expect(bins.reduce((sum, { positives }) => sum + positives, 0)).toBe(
      labels.reduce<number>((sum, y) => sum + y, 0),
    );
    expect(bins.at(-1)?.upTo).toBe(1);
    expect(bins.map(({ upTo }) => upTo)).toEqual(bins.map(({ upTo }) => upTo).toSorted((a, b) => a - b));
    expect(bins.every(({ rows }) => rows >= 900 && rows <= 1100)).toBe(true);
  });

  it('keeps equal scores together and few rows in one bin', () => {
    expect(reliabilityBins([0.2, 0.2, 0.7], [0, 1, 1])).toEqual([{ upTo: 1, rows: 3, positives: 2 }]);
    expect(reliabilityBins(new Float64Array(500).fill(0.3), new Uint8Array(500))).toEqual([
      { upTo: 1, rows: 500, positives: 0 },
    ]);
  });

  it('equals published Wilson limits', () => {
    // Newcombe (1998), Statistics in Medicine 17, table I: 81/263 and 0/20 at 95 %.
    const [low, high] = wilsonInterval(81, 263, 0.95);
    expect(low).toBeCloseTo(0.2553, 4);
    expect(high).toBeCloseTo(0.3662, 4);
    expect(wilsonInterval(0, 20, 0.95)[0]).toBeCloseTo(0, 12);
    expect(wilsonInterval(0, 20, 0.95)[1]).toBeCloseTo(0.1611, 4);
    expect(wilsonInterval(0, 0, 0.9)).toEqual([0, 1]);
  });

  it('gives an interval that holds the score', () => {
    const bins = [
      { upTo: 0.1, rows: 1000, positives: 60 },
      { upTo: 1, rows: 1000, positives: 400 },
    ];
    expect(scoreInterval(bins, 0.1, 0.9)[1]).toBe(0.1);
    expect(scoreInterval(bins, 0.1000001, 0.9)[0]).toBe(0.1000001);
    expect(scoreInterval(bins, 0.4, 0.9)).toEqual(wilsonInterval(400, 1000, 0.9));
  });

  it('knows the normal quantiles', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(0.95)).toBeCloseTo(1.6448536269514722, 12);
    expect(normalQuantile(1e-9)).toBeCloseTo(-5.997807015007686, 9);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(() => normalQuantile(1.1)).toThrow(RangeError);
  });
});
