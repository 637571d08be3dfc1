import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram, SECONDS } from './histogram.js';

describe('a histogram', () => {
  it('counts a value on a bound below it', () => {
    const histogram = new Histogram([1, 2]);
    for (const value of [0.5, 1, 1.5, 2, 3]) histogram.observe(value);
    expect(histogram.cumulative()).toEqual([2, 4]);
    expect([histogram.count, histogram.sum]).toEqual([5, 8]);
  });

  it('drops what is no number', () => {
    const histogram = new Histogram([1]);
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) histogram.observe(value);
    expect([histogram.count, histogram.sum]).toEqual([0, 0]);
  });

  it('has no quantile without observations, and the largest bound for what lies beyond it', () => {
    const histogram = new Histogram([1, 2]);
    expect(histogram.quantile(0.5)).toBeNull();
    histogram.observe(100);
    expect(histogram.quantile(0.5)).toBe(2);
  });

  it('finds a quantile within the bucket that holds it', () => {
    const value = fc.double({ min: 1e-5, max: 10, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (all, q) => {
          const histogram = new Histogram(SECONDS);
          for (const each of all) histogram.observe(each);
          const exact = all.toSorted((a, b) => a - b)[Math.ceil(q * all.length) - 1] ?? 0;
          const at = SECONDS.findIndex((bound) => exact <= bound);
          const estimate = histogram.quantile(q) ?? -1;
          expect(estimate).toBeGreaterThanOrEqual(SECONDS[at - 1] ?? 0);
          expect(estimate).toBeLessThanOrEqual(SECONDS[at] ?? 0);
        },
      ),
    );
  });

  it('adds another one up', () => {
    const [a, b] = [new Histogram([1]), new Histogram([1])];
    a.observe(0.5);
    b.observe(2);
    a.merge(b);
    expect([a.cumulative(), a.count, a.sum]).toEqual([[1], 2, 2.5]);
  });
});
