import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { sigmoid } from '../score/logistic.js';
import { checkCalibration, measuredCalibrationError, spiegelhalterZ } from './calibration-error.js';
import { applyCalibration, calibratedLogOdds, chooseCalibration, fitIsotonic } from './calibration-map.js';
import { isotonicBlocks } from './isotonic.js';

const points = (values: number[]) => values.map((value, x) => ({ x, value, weight: 1 }));

/** Margins in [−4, 4] whose true probability is `truth`. */
function drawn(n: number, truth: (margin: number) => number, seed = 3) {
  const random = seededRandom(seed);
  const margins = Float64Array.from({ length: n }, () => 8 * random() - 4);
  return { margins, labels: Uint8Array.from(margins, (margin) => (random() < truth(margin) ? 1 : 0)) };
}

describe('isotonicBlocks', () => {
  it('pools adjacent violators as worked by hand', () => {
    expect(isotonicBlocks(points([1, 3, 2, 4]))).toEqual([
      { x: 0, value: 1, weight: 1 },
      { x: 1.5, value: 2.5, weight: 2 },
      { x: 3, value: 4, weight: 1 },
    ]);
    expect(isotonicBlocks(points([3, 2, 1]))).toEqual([{ x: 1, value: 2, weight: 3 }]);
  });

  it('weighs, pools ties, takes any order, and answers nothing with nothing', () => {
    expect(
      isotonicBlocks([
        { x: 1, value: 0, weight: 1 },
        { x: 0, value: 1, weight: 3 },
      ]),
    ).toEqual([{ x: 0.25, value: 0.75, weight: 4 }]);
    expect(isotonicBlocks([...points([1]), ...points([3])])).toEqual([{ x: 0, value: 2, weight: 2 }]);
    expect(isotonicBlocks([])).toEqual([]);
  });

  it('ascends strictly and keeps the weighted mean', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1 }), (values) => {
        const blocks = isotonicBlocks(points(values));
        for (let i = 1; i < blocks.length; i++)
          expect(blocks[i]?.value).toBeGreaterThan(blocks[i - 1]?.value ?? Infinity);
        const total = blocks.reduce((sum, { value, weight }) => sum + value * weight, 0);
        expect(total).toBeCloseTo(
          values.reduce((sum, value) => sum + value, 0),
          6,
        );
      }),
    );
  });

  it('refuses what is not finite and weights that are not positive', () => {
    expect(() => isotonicBlocks([{ x: 0, value: Number.NaN, weight: 1 }])).toThrow('finite');
    expect(() => isotonicBlocks([{ x: 0, value: 1, weight: 0 }])).toThrow('weights positive');
  });
});

describe('chooseCalibration', () => {
  it('keeps Platt where the truth is a line in log-odds', () => {
    const { margins, labels } = drawn(6000, (margin) => sigmoid(0.5 * margin - 1));
    const { calibration, reason } = chooseCalibration(margins, labels, 1);

    expect(calibration.bend).toBeUndefined();
    expect(reason).toContain('not better beyond noise');
    expect(calibration.a).toBeCloseTo(0.5, 1);
  });

  it('bends where the truth does: a plateau that a line cannot follow', () => {
    const truth = (margin: number): number => (margin < 0 ? 0.05 : 0.5);
    const { margins, labels } = drawn(6000, truth);
    const { calibration, reason } = chooseCalibration(margins, labels, 1);

    expect(reason).toMatch(/^isotonic/);
    expect(applyCalibration(calibration, -2)).toBeCloseTo(0.05, 1);
    expect(applyCalibration(calibration, 2)).toBeCloseTo(0.5, 1);
  });

  it('never bends on few rows', () => {
    const { margins, labels } = drawn(1999, (margin) => (margin < 0 ? 0.05 : 0.5));

    expect(chooseCalibration(margins, labels, 1).calibration.bend).toBeUndefined();
  });
});

describe('fitIsotonic', () => {
  it('orders probabilities as it orders margins, beyond the rows it saw too', () => {
    const { margins, labels } = drawn(3000, (margin) => (margin < 0 ? 0.1 : 0.6));
    const calibration = fitIsotonic(margins, labels);
    const line = Array.from({ length: 241 }, (_, i) => calibratedLogOdds(calibration, i / 10 - 12));

    expect(line).toEqual(line.toSorted((a, b) => a - b));
    expect(new Set(line).size).toBe(241);
    expect(line.every(Number.isFinite)).toBe(true);
  });

  it('gives everybody the rate where margins order nothing, and survives one class', () => {
    const flat = fitIsotonic([1, 1, 1, 1], [1, 0, 0, 0]);
    expect(applyCalibration(flat, 5)).toBeGreaterThan(0.1);
    expect(applyCalibration(flat, 5)).toBeLessThan(0.5);
    const allLost = fitIsotonic([1, 2, 3, 4], [0, 0, 0, 0]);
    expect(applyCalibration(allLost, 2)).toBeLessThan(0.3);
  });
});

describe('calibration tests', () => {
  it('works out Spiegelhalter by hand', () => {
    // Σ (y − p)(1 − 2p) = 0.8 · 0.6 − 0.2 · 0.6, Σ (1 − 2p)² p (1 − p) = 2 · 0.36 · 0.16.
    const z = spiegelhalterZ({ labels: [1, 0], probabilities: [0.2, 0.2] });

    expect(z).toBeCloseTo((0.48 - 0.12) / Math.sqrt(2 * 0.36 * 0.16), 12);
    expect(spiegelhalterZ({ labels: [1, 0], probabilities: [0.5, 0.5] })).toBe(0);
  });

  const { margins, labels } = drawn(4000, sigmoid);
  const judged = (probability: (margin: number) => number) => {
    const probabilities = margins.map(probability);
    const { value } = measuredCalibrationError({ labels, probabilities }, { seed: 1, resamples: 50 });
    return checkCalibration({ labels, probabilities }, value);
  };

  it('has nothing to say of right probabilities', () => {
    const check = judged(sigmoid);

    expect(check.warning).toBeNull();
    expect(check.slope).toBeCloseTo(1, 1);
  });

  it.each([
    ['too extreme', (margin: number) => sigmoid(2 * margin), /^miscalibrated: .*slope 0\.[45]/],
    ['too timid', (margin: number) => sigmoid(0.4 * margin), /^miscalibrated: .*slope 2/],
    ['too high', (margin: number) => sigmoid(margin + 0.7), /^miscalibrated: mean probability 0\.58/],
  ])('names a model that is %s', (_title, probability, warning) => {
    expect(judged(probability).warning).toMatch(warning);
  });

  it('measures a distance that its interval holds', () => {
    const { value, low, high } = measuredCalibrationError(
      { labels: [0, 1, 0, 1], probabilities: [0.1, 0.9, 0.2, 0.8] },
      { seed: 1 },
    );

    expect(value).toBeCloseTo(0.15, 12);
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
  });
});
