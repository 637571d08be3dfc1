import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { fitLine } from './check-label.js';
import { aucWithError } from './check-performance.js';
import { associationOf } from './check-proxies.js';

describe('aucWithError', () => {
  it('is worked out by hand, ties counting half', () => {
    // Of the four pairs the positive is higher in 0.9 > 0.5, 0.9 > 0.2, 0.5 > 0.2, and equal in one.
    const { value, error } = aucWithError(Float64Array.of(0.2, 0.5, 0.5, 0.9), [0, 0, 1, 1]);
    expect(value).toBe((1 + 1 + 1 + 0.5) / 4);
    // Places 0.75 and 1 of the positives, 1 and 0.75 of the negatives: variance 1/32 each, over two rows each.
    expect(error).toBeCloseTo(Math.sqrt(1 / 32 / 2 + 1 / 32 / 2), 12);
  });

  it('has an interval that holds the true value as often as it says', () => {
    // Scores of N(0, 1) and N(1, 1): AUC = Φ(1/√2) = 0.7602.
    let held = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const random = seededRandom(seed);
      const labels = Array.from({ length: 200 }, (_, i) => (i % 4 === 0 ? 1 : 0));
      const scores = Float64Array.from(labels, (label) => randomNormal(random) + label);
      const { value, error } = aucWithError(scores, labels);
      if (Math.abs(value - 0.7602) < 1.96 * error) held += 1;
    }
    expect(held / 400).toBeGreaterThan(0.92);
    expect(held / 400).toBeLessThan(0.98);
  });
});

describe('fitLine', () => {
  it('finds the line of grouped outcomes: two points have one', () => {
    // Rates 1/4 at x = 0 and 3/4 at x = 1: log-odds −ln 3 and ln 3; variance of each log-odds 1/(n p q) = 1/7.5.
    const line = fitLine({
      x: Float64Array.of(0, 1),
      positives: Float64Array.of(10, 30),
      rows: Float64Array.of(40, 40),
    });
    expect(line.intercept).toBeCloseTo(-Math.log(3), 5);
    expect(line.slope).toBeCloseTo(2 * Math.log(3), 5);
    expect(line.covariance[0]).toBeCloseTo(1 / 7.5, 5);
    expect(line.covariance[2]).toBeCloseTo(2 / 7.5, 5);
  });

  it('stays finite where the outcome is told perfectly', () => {
    const line = fitLine({
      x: Float64Array.of(-1, 1),
      positives: Float64Array.of(0, 50),
      rows: Float64Array.of(50, 50),
    });
    expect(Number.isFinite(line.slope)).toBe(true);
    expect(line.slope).toBeGreaterThan(5);
  });
});

describe('associationOf', () => {
  const groups = Array.from({ length: 1000 }, (_, i) => (i % 2 ? 'a' : 'b'));
  const column = (tells: (i: number) => number) => ({
    kind: 'categorical' as const,
    name: 'c',
    dictionary: ['x', 'y'],
    codes: Int32Array.from(groups, (_, i) => tells(i)),
  });

  it('is 1 for the group itself and 0 for what is independent of it', () => {
    expect(
      associationOf(
        column((i) => i % 2),
        groups,
        0.001,
      )?.value,
    ).toBeCloseTo(1, 2);
    expect(
      associationOf(
        column((i) => (i >> 1) % 2),
        groups,
        0.001,
      ),
    ).toEqual({ value: 0, low: 0 });
    expect(
      associationOf(
        column(() => 0),
        groups,
        0.001,
      ),
    ).toEqual({ value: 0, low: 0 });
  });

  it('compares no groups that are too small', () => {
    const few = groups.map((_, i) => (i < 99 ? 'a' : 'b'));
    expect(
      associationOf(
        column((i) => i % 2),
        few,
        0.001,
      ),
    ).toBeNull();
  });
});
