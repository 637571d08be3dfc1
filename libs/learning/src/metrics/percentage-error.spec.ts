import { describe, expect, it } from 'vitest';
import { measuredMape, measuredWape, weightedMape, weightedWape } from './percentage-error.js';

const actual = [100, 50, 0, -10];
const predicted = [110, 40, 7, -12];
const ones = new Float64Array(4).fill(1);

describe('percentage errors', () => {
  it('are worked out by hand; a row of 0 has no percentage and counts in the weighted one', () => {
    expect(weightedMape(actual, predicted)(ones)).toBeCloseTo((0.1 + 0.2 + 0.2) / 3, 12);
    expect(weightedWape(actual, predicted)(ones)).toBeCloseTo((10 + 10 + 7 + 2) / 160, 12);
  });

  it('count rows by their weights', () => {
    const twice = Float64Array.of(2, 0, 1, 1);
    expect(weightedMape(actual, predicted)(twice)).toBeCloseTo((0.1 + 0.1 + 0.2) / 3, 12);
    expect(weightedWape(actual, predicted)(twice)).toBeCloseTo((20 + 7 + 2) / 210, 12);
  });

  it('are 0 for a perfect forecast, NaN where no row has a value other than 0', () => {
    expect(weightedMape(actual, actual)(ones)).toBe(0);
    expect(weightedWape(actual, actual)(ones)).toBe(0);
    expect(weightedMape([0, 0], [1, 2])(ones)).toBeNaN();
    expect(weightedWape([0, 0], [1, 2])(ones)).toBeNaN();
    expect(weightedMape([1], [Number.NaN])(ones)).toBeNaN();
  });

  it('have intervals around the value, equal for an equal seed, and a point for one row', () => {
    const series = Array.from({ length: 80 }, (_, i) => 20 + (i % 7));
    const forecast = series.map((value, i) => value * (1 + 0.1 * Math.sin(i)));
    for (const measure of [measuredMape, measuredWape]) {
      const { value, low, high } = measure(series, forecast, { seed: 3 });
      expect(low).toBeLessThan(value);
      expect(high).toBeGreaterThan(value);
      expect(measure(series, forecast, { seed: 3 })).toEqual({ value, low, high, level: 0.9 });
      expect(measure([4], [5], { seed: 1 })).toMatchObject({ value: 0.25, low: 0.25, high: 0.25 });
    }
  });

  it('refuse columns of two lengths', () => {
    expect(() => measuredMape([1, 2], [1], { seed: 1 })).toThrow(RangeError);
    expect(() => measuredWape([1, 2], [1], { seed: 1 })).toThrow(RangeError);
  });
});
