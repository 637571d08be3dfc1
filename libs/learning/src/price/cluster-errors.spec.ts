import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { clusteredError, designEffect, priceSpells } from './cluster-errors.js';

describe('designEffect', () => {
  it('is what the sums say: three clusters of one product, worked by hand', () => {
    // sums 2, 2, −4 → squares 24, times 3 / (3 − 2) = 72; rows 1, 1, 1, 1, −2, −2 → 12.
    const rows = { scores: [1, 1, 1, 1, -2, -2], clusters: [0, 0, 1, 1, 2, 2], groups: [7, 7, 7, 7, 7, 7] };
    expect(designEffect(rows)).toBe(6);
  });

  it('stays near 1 for rows that err alone, and nears the size of clusters that err as one', () => {
    const random = seededRandom(3);
    const n = 6000;
    const clusters = Int32Array.from({ length: n }, (_, i) => Math.floor(i / 10));
    const groups = new Int32Array(n);
    const alone = Float64Array.from({ length: n }, () => randomNormal(random));
    const shared = Float64Array.from({ length: n / 10 }, () => randomNormal(random));
    const together = Float64Array.from(clusters, (c) => shared[c] ?? 0);
    expect(designEffect({ scores: alone, clusters, groups })).toBeLessThan(1.2);
    expect(designEffect({ scores: together, clusters, groups })).toBeCloseTo(10, 0);
  });

  it('says 1 where nothing can be told, and refuses lengths that differ', () => {
    expect(designEffect({ scores: [], clusters: [], groups: [] })).toBe(1);
    expect(designEffect({ scores: [1, -1], clusters: [0, 1], groups: [0, 0] })).toBe(1);
    expect(designEffect({ scores: [0, 0, 0], clusters: [0, 1, 2], groups: [0, 0, 0] })).toBe(1);
    expect(() => designEffect({ scores: [1], clusters: [], groups: [0] })).toThrow(RangeError);
  });
});

describe('priceSpells', () => {
  const at = (day: number): Date => new Date(day * 86_400_000);

  it('starts a spell where the price of a product changes, in the order of time', () => {
    const rows = [
      { product: 'a', price: 2, at: at(2) },
      { product: 'a', price: 1, at: at(0) },
      { product: 'b', price: 1, at: at(0) },
      { product: 'a', price: 1, at: at(1) },
      { product: 'a', price: 1, at: at(3) },
    ];
    const [third, first, other, second, fourth] = priceSpells(rows);
    expect(first).toBe(second);
    expect(new Set([first, third, fourth, other]).size).toBe(4);
  });

  it('takes the price itself where several stores sell at once: alternating between them is no change of price', () => {
    const rows = [0, 1, 2].flatMap((day) => [1, 2].map((price) => ({ product: 'a', price, at: at(day) })));
    expect([...priceSpells(rows)]).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('takes the price itself where there are no times', () => {
    const rows = [1, 2, 1].map((price) => ({ product: 'a', price, at: at(0) }));
    expect([...priceSpells(rows)]).toEqual([0, 1, 0]);
  });
});

describe('clusteredError', () => {
  // Own variance 0.5 and variance among groups 0.5: weight 1/2, shrunken variance 0.25.
  const shrunken = { standardError: 0.5, commonError: 0, among: 0.5 };

  it('is the standard error itself where rows err alone, and worked by hand where they do not', () => {
    expect(clusteredError({ ...shrunken, designEffect: 1 })).toBeCloseTo(0.5, 12);
    // (1/2)² · 3 · 0.5 + (1/2)² · 0.5 = 0.5
    expect(clusteredError({ ...shrunken, designEffect: 3 })).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('never shrinks as the design effect grows, and leaves a group without rows of its own as it is', () => {
    const errors = [1, 2, 5, 50].map((effect) => clusteredError({ ...shrunken, designEffect: effect }));
    expect(errors).toEqual(errors.toSorted((a, b) => a - b));
    const unseen = { standardError: 0.8, commonError: 0, among: 0.5 };
    expect(clusteredError({ ...unseen, designEffect: 9 })).toBeCloseTo(0.8, 12);
  });
});
