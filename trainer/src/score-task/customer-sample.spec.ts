import { describe, expect, it } from 'vitest';
import { CustomerSample, drawOf } from './customer-sample.js';

const IDS = Array.from({ length: 400 }, (_, i) => `cus_${i}`);

function sampleOf(ids: readonly string[], maxRows: number, seed = 1) {
  const sample = new CustomerSample<string>(maxRows, seed);
  for (const id of ids) sample.add(id, [`${id} a`, `${id} b`]);
  return sample;
}

describe('CustomerSample', () => {
  it('keeps everybody while they fit', () => {
    const sample = sampleOf(IDS, 800);
    expect(sample.share).toBe(1);
    expect(sample.rows()).toHaveLength(800);
  });

  it('keeps whole customers, at most as many rows as allowed, and the largest share that fits', () => {
    const sample = sampleOf(IDS, 300);
    const rows = sample.rows();
    const customers = new Set(rows.map((row) => row.split(' ')[0]));
    expect(rows.length).toBe(2 * customers.size);
    expect(rows.length).toBeLessThanOrEqual(300);
    const ofTwice = IDS.filter((id) => drawOf(id, 1) < 2 * sample.share);
    expect(2 * ofTwice.length).toBeGreaterThan(300);
  });

  it('depends on the seed, not on the order of the customers', () => {
    const [first, reversed] = [sampleOf(IDS, 200), sampleOf(IDS.toReversed(), 200)];
    expect(first.share).toBe(reversed.share);
    expect(first.rows().toSorted()).toEqual(reversed.rows().toSorted());
    expect(sampleOf(IDS, 200, 2).rows().toSorted()).not.toEqual(first.rows().toSorted());
  });

  it('has nothing of nobody, and all of one who alone is too much', () => {
    expect(new CustomerSample(5, 1).rows()).toEqual([]);
    const one = new CustomerSample<number>(2, 1);
    one.add('cus_a', [1, 2, 3]);
    one.add('cus_b', []);
    expect(one.rows()).toEqual([1, 2, 3]);
  });
});

describe('drawOf', () => {
  it('spreads customers evenly over [0, 1)', () => {
    const draws = IDS.map((id) => drawOf(id, 7));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    expect(draws.reduce((sum, draw) => sum + draw, 0) / draws.length).toBeCloseTo(0.5, 1);
  });
});
