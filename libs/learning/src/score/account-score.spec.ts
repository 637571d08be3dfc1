import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountScore } from './account-score.js';
import { balancedWeights } from './class-weights.js';
import { fitLogistic } from './logistic.js';
import { nextProducts, type OfferedProduct } from './next-product.js';

describe('accountScore', () => {
  it('is the chance of at least one, by hand', () => {
    expect(accountScore([{ probability: 0.5 }, { probability: 0.2 }])).toBeCloseTo(0.6, 12);
    expect(accountScore([{ probability: 0.5 }, { probability: 0.19, echo: 0.5 }])).toBeCloseTo(0.55, 12);
    expect(accountScore([{ probability: 0.5 }, { probability: 0.2, echo: 1 }])).toBe(0.5);
  });

  it('is 0 for nobody and 1 where somebody is certain', () => {
    expect(accountScore([])).toBe(0);
    expect(accountScore([{ probability: 1 }, { probability: 0.1 }])).toBe(1);
    expect(accountScore([{ probability: 1, echo: 1 }])).toBe(0);
  });

  it('never falls when a member joins', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(probability), probability, (members, joining) => {
        const before = members.map((p) => ({ probability: p }));
        expect(accountScore([...before, { probability: joining }])).toBeGreaterThanOrEqual(
          accountScore(before),
        );
      }),
    );
  });

  it('refuses what is no probability', () => {
    expect(() => accountScore([{ probability: 1.1 }])).toThrow('got 1.1');
    expect(() => accountScore([{ probability: Number.NaN }])).toThrow('got NaN');
    expect(() => accountScore([{ probability: 0.1, echo: -1 }])).toThrow('echo');
  });
});

describe('balancedWeights', () => {
  it('gives both labels half of the whole weight', () => {
    expect([...balancedWeights([1, 0, 0, 0])]).toEqual([2, 2 / 3, 2 / 3, 2 / 3].map(Math.fround));
    expect([...balancedWeights([1, 1])]).toEqual([1, 1]);
    expect([...balancedWeights([])]).toEqual([]);
  });
});

describe('fitLogistic with weights', () => {
  const rows = Float32Array.of(1, 0, 1, 0, 1);
  const labels = [1, 0, 0, 1, 1];

  it('counts a weight of 2 as the row twice, at any scale', () => {
    const twice = fitLogistic(
      { rows: Float32Array.of(...rows, 1), columns: 1, labels: [...labels, 1] },
      { l2: 0.01 },
    );
    for (const scale of [1, 100]) {
      const weights = [2, 1, 1, 1, 1].map((weight) => weight * scale);
      const weighted = fitLogistic({ rows, columns: 1, labels, weights }, { l2: 0.01 });
      expect(weighted.coefficients[0]).toBeCloseTo(twice.coefficients[0] ?? 0, 5);
      expect(weighted.intercept).toBeCloseTo(twice.intercept, 5);
    }
  });

  it('refuses negative weights, none at all and another number of them', () => {
    for (const weights of [[1, 1, 1, 1, -1], [0, 0, 0, 0, 0], [1]]) {
      expect(() => fitLogistic({ rows, columns: 1, labels, weights }, { l2: 1 })).toThrow(RangeError);
    }
  });
});

describe('nextProducts', () => {
  const product = (productId: string, over: Partial<OfferedProduct> = {}): OfferedProduct => ({
    ...{ productId, categoryId: 'phones', priceMinor: 100, marginMinor: 20, probability: 0.1 },
    ...over,
  });

  it('ranks dearer products of the category by the margin they add, and others by their margin', () => {
    const { upsell, crossSell } = nextProducts(product('anchor'), [
      product('better', { priceMinor: 150, marginMinor: 40 }),
      product('best', { priceMinor: 300, marginMinor: 120, probability: 0.01 }),
      product('cheaper', { priceMinor: 50, marginMinor: 45 }),
      product('thin', { priceMinor: 150, marginMinor: 19 }),
      product('case', { categoryId: 'cases', marginMinor: 5, probability: 0.4 }),
      product('loss', { categoryId: 'cases', marginMinor: -1 }),
    ]);

    expect(upsell).toEqual([
      { productId: 'better', expectedMarginMinor: 2 },
      { productId: 'best', expectedMarginMinor: 1 },
    ]);
    expect(crossSell).toEqual([{ productId: 'case', expectedMarginMinor: 2 }]);
  });

  it('offers nothing from nothing and refuses what is no probability', () => {
    expect(nextProducts(product('anchor'), [])).toEqual({ upsell: [], crossSell: [] });
    expect(() => nextProducts(product('anchor'), [product('x', { probability: 2 })])).toThrow('product x');
  });
});
