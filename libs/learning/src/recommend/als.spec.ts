import { describe, expect, it } from 'vitest';
import { randomInteger, seededRandom } from '../random/seeded-random.js';
import { fitAls, gramOf } from './als.js';
import { scoreItems, weightBetween } from './ease.js';
import { fitFactorSimilarity } from './factor-similarity.js';
import { weighHistory } from './history-weights.js';
import type { IndexedCustomer } from './interactions.js';
import { rankSlate } from './rank-slate.js';

const options = { rank: 4, regularisation: 0.1, alpha: 10, iterations: 10, seed: 1 };

/** Customers of `tastes` tastes, each with its own items, ten drawn each. */
function tastes(customers: number, itemCount: number, count: number): IndexedCustomer[] {
  const random = seededRandom(8);
  const width = itemCount / count;
  return Array.from({ length: customers }, (_, c) => {
    const items = new Set(
      Array.from({ length: 10 }, () => (c % count) * width + randomInteger(random, width)),
    );
    return {
      items: Uint32Array.from(items),
      relevant: new Uint8Array(items.size).fill(1),
      at: new Float64Array(items.size),
    };
  });
}

describe('fitAls', () => {
  it('reaches the stationary point worked out by hand for one customer and one item', () => {
    // (1 + a)(1 − xy)·y = λx and the same for y: x = y = √(1 − λ/(1 + a)).
    const [y = 0] = fitAls([[0]], 1, { rank: 1, regularisation: 1, alpha: 3, iterations: 200, seed: 1 });
    expect(Math.abs(y)).toBeCloseTo(Math.sqrt(0.75), 6);
  });

  it('gives zeros to items that nobody met, and equal factors for a seed', () => {
    const factors = fitAls([[0, 1], [1]], 3, options);
    expect([...factors.subarray(8)]).toEqual([0, 0, 0, 0]);
    expect(fitAls([[0, 1], [1]], 3, options)).toEqual(factors);
  });

  it('has a Gram matrix as worked out by hand', () => {
    expect([...gramOf(Float64Array.of(1, 2, 3, 4), 2)]).toEqual([10, 14, 14, 20]);
  });

  it('refuses nothing to learn from and options that are not positive', () => {
    expect(() => fitAls([[]], 2, options)).toThrow(expect.objectContaining({ code: 'DATA_INSUFFICIENT' }));
    expect(() => fitAls([[0]], 2, { ...options, alpha: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', path: 'alpha' }),
    );
  });
});

describe('fitFactorSimilarity', () => {
  it(
    'keeps tastes apart among 20,000 items, where a dense matrix would take 1.6 GB',
    { timeout: 30_000 },
    () => {
      const itemCount = 20_000;
      const customers = tastes(4000, itemCount, 20);
      const similarity = fitFactorSimilarity(customers, itemCount, {
        ...options,
        rank: 24,
        iterations: 4,
        popularityHalfLifeDays: null,
      });
      const scores = new Float64Array(itemCount);
      let right = 0;
      for (const [c, customer] of customers.slice(0, 40).entries()) {
        scoreItems(similarity, weighHistory(customer.items, null), scores);
        const slate = rankSlate(scores, { first: 10, exclude: new Set(customer.items) });
        right += slate.filter((item) => Math.floor(item / 1000) === c % 20).length;
      }
      expect(right / 400).toBeGreaterThan(0.9);
    },
  );

  it('scores as the sum of its weights and the prior, and a cold customer by popularity alone', () => {
    const customers = tastes(60, 40, 2);
    const similarity = fitFactorSimilarity(customers, 40, { ...options, popularityHalfLifeDays: null });
    const scores = new Float64Array(40);
    scoreItems(similarity, weighHistory([3, 7], null), scores);
    const sum =
      weightBetween(similarity, 3, 9) + weightBetween(similarity, 7, 9) + weightBetween(similarity, 40, 9);
    expect(scores[9]).toBeCloseTo(sum, 10);
    scoreItems(similarity, weighHistory([], null), scores);
    const met = new Float64Array(40);
    for (const { items } of customers) for (const item of items) met[item] = (met[item] ?? 0) + 1;
    expect(rankSlate(scores, { first: 40 })).toEqual(rankSlate(met, { first: 40 }));
  });
});
