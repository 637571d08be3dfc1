import { describe, expect, it } from 'vitest';
import { seededRandom } from '../random/seeded-random.js';
import { MeanSequence } from './mean-sequence.js';

describe('MeanSequence', () => {
  it('knows nothing before the first value', () => {
    const sequence = new MeanSequence({ low: -1, high: 3 }, 0.05);
    expect(sequence.interval()).toEqual({ low: -1, high: 3 });
    expect(sequence.mean).toBeNaN();
  });

  it('equals the definition, written out as sums over all values', () => {
    const random = seededRandom(3);
    const x = Array.from({ length: 150 }, () => 0.4 + 0.1 * random());
    const sequence = new MeanSequence({ low: 0, high: 1 }, 0.05);
    for (const value of x) sequence.add(value);

    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const mu = (t: number): number => (0.5 + sum(x.slice(0, t))) / (t + 1);
    const sigma2 = (t: number): number =>
      (0.25 + sum(x.slice(0, t).map((value, i) => (value - mu(i + 1)) ** 2))) / (t + 1);
    const lambda = x.map((_, i) =>
      Math.min(0.5, Math.sqrt((2 * Math.log(2 / 0.05)) / (sigma2(i) * (i + 1) * Math.log(i + 2)))),
    );
    const psi = (l: number): number => (-Math.log(1 - l) - l) / 4;
    const spread = sum(x.map((value, i) => 4 * (value - mu(i)) ** 2 * psi(lambda[i] ?? 0)));
    const centre = sum(x.map((value, i) => value * (lambda[i] ?? 0))) / sum(lambda);
    const margin = (Math.log(2 / 0.05) + spread) / sum(lambda);
    const { low, high } = sequence.interval();
    expect(low).toBeCloseTo(centre - margin, 10);
    expect(high).toBeCloseTo(centre + margin, 10);
    expect(high - low).toBeLessThan(0.2);
  });

  it('loses the true mean at some time in at most alpha of the sequences', () => {
    const random = seededRandom(11);
    let lost = 0;
    for (let run = 0; run < 400; run += 1) {
      const sequence = new MeanSequence({ low: 0, high: 1 }, 0.1);
      for (let i = 0; i < 300; i += 1) {
        sequence.add(random() < 0.2 ? 1 : 0);
        const { low, high } = sequence.interval();
        if (low > 0.2 || high < 0.2) {
          lost += 1;
          break;
        }
      }
    }
    expect(lost / 400).toBeLessThan(0.1);
  });

  it('comes within 0.05 of the mean of a quiet sequence of 2,000 values', () => {
    const random = seededRandom(12);
    const sequence = new MeanSequence({ low: -1, high: 1 }, 0.01);
    for (let i = 0; i < 2_000; i += 1) sequence.add(0.1 + 0.1 * (random() - 0.5));
    const { low, high } = sequence.interval();
    expect(low).toBeGreaterThan(0.05);
    expect(high).toBeLessThan(0.15);
  });

  it.each([1.01, -1.01, Number.NaN])('refuses %d, which is outside the range', (value) => {
    expect(() => new MeanSequence({ low: -1, high: 1 }, 0.05).add(value)).toThrow(RangeError);
  });

  it.each([0, 1, Number.NaN])('refuses the level %d', (alpha) => {
    expect(() => new MeanSequence({ low: 0, high: 1 }, alpha)).toThrow(RangeError);
  });
});
