import { describe, expect, it } from 'vitest';
import { randomNormal, seededRandom } from '../random/seeded-random.js';
import {
  demandFamilyOf,
  type DemandRow,
  demandTable,
  fitDemandModel,
  predictLogUnits,
} from './demand-model.js';
import { fitMixedModel } from './mixed-model.js';

const code = (name: string): unknown => expect.objectContaining({ code: name });

interface World {
  elasticities: number[];
  rowsOf: (product: number) => number;
  level: number;
  noise: number;
}

/** Products `p0`, `p1`, … whose log units are level + elasticity · ln price + 0.5 · promo + noise. */
function sales({ elasticities, rowsOf, level, noise }: World, counts: boolean): DemandRow[] {
  const random = seededRandom(21);
  return elasticities.flatMap((elasticity, p) =>
    Array.from({ length: rowsOf(p) }, (_, k) => {
      const promo = k % 3 === 0 ? 1 : 0;
      const price = 10 * Math.exp(0.3 * randomNormal(random)) * (1 - 0.1 * promo);
      const mean = Math.exp(
        level + elasticity * Math.log(price / 10) + 0.5 * promo + noise * randomNormal(random),
      );
      const units = counts ? poissonDraw(random, mean) : mean;
      return { product: `p${p}`, price, units, at: new Date(k * 86_400_000), context: { promo } };
    }),
  );
}

/** Source: Knuth (1969), The art of computer programming 2, section 3.4.1. */
function poissonDraw(random: () => number, mean: number): number {
  let [count, product] = [-1, 1];
  for (const limit = Math.exp(-mean); product > limit; count++) product *= random();
  return count;
}

describe('fitMixedModel', () => {
  it('gives least squares where the groups do not differ', () => {
    const design = Float64Array.of(1, 0, 1, 1, 1, 2, 1, 3);
    const groups = new Int32Array(4);
    const rows = {
      design,
      columns: 2,
      grouped: 1,
      groups,
      groupCount: 1,
      target: Float64Array.of(1, 3, 5, 7.4),
    };
    const { fixed, deviations } = fitMixedModel(rows, 'gaussian');
    expect((fixed[0] ?? 0) + (deviations[0] ?? 0)).toBeCloseTo(0.92, 4);
    expect(fixed[1]).toBeCloseTo(2.12, 4);
  });

  it('refuses fewer rows than columns, and counts that are all 0', () => {
    const rows = {
      design: Float64Array.of(1, 1),
      columns: 1,
      grouped: 1,
      groups: new Int32Array(2),
      groupCount: 1,
    };
    expect(() => fitMixedModel({ ...rows, target: new Float64Array(2) }, 'poisson')).toThrow(
      code('DATA_INSUFFICIENT'),
    );
    const wide = { ...rows, columns: 2, target: Float64Array.of(1, 2) };
    expect(() => fitMixedModel(wide, 'gaussian')).toThrow(code('DATA_INSUFFICIENT'));
  });
});

describe('fitDemandModel', () => {
  const elasticities = [-3, -2.5, -2, -1.5, -2.2, -2.8, -1.8, -2.4];

  it('recovers elasticities and covers them with its intervals', () => {
    const rows = sales({ elasticities, rowsOf: () => 200, level: 5, noise: 0.4 }, false);
    const model = fitDemandModel(rows, 'gaussian', 'price');
    let covered = 0;
    for (const [p, truth] of elasticities.entries()) {
      const measured = model.elasticity[`p${p}`];
      expect(Math.abs((measured?.value ?? 0) - truth)).toBeLessThan(0.3);
      if (measured && measured.low <= truth && truth <= measured.high) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(6);
  });

  it('reads days without a sale as they are: no logarithm, no bias towards 0', () => {
    const rows = sales({ elasticities, rowsOf: () => 400, level: -0.5, noise: 0 }, true);
    expect(demandFamilyOf(rows)).toBe('poisson');
    const { elasticity } = fitDemandModel(rows, 'poisson', 'price');
    const errors = elasticities.map((truth, p) => Math.abs((elasticity[`p${p}`]?.value ?? 0) - truth));
    expect(errors.reduce((sum, e) => sum + e, 0) / errors.length).toBeLessThan(0.3);
  });

  it('shrinks a product with a handful of sales towards the others, and gives it a wider interval', () => {
    const rows = sales(
      { elasticities: [...elasticities, 2], rowsOf: (p) => (p === 8 ? 4 : 200), level: 5, noise: 0.4 },
      false,
    );
    const { elasticity } = fitDemandModel(rows, 'gaussian', 'price-without-context');
    const [many, few] = [elasticity['p0'], elasticity['p8']];
    const few4 = rows.filter(({ product }) => product === 'p8');
    const alone = fitDemandModel(few4, 'gaussian', 'price-without-context').elasticity['p8'];
    expect(alone?.value).toBeGreaterThan(-2);
    expect(few?.value).toBeLessThan((alone?.value ?? 0) - 0.05);
    expect((few?.high ?? 0) - (few?.low ?? 0)).toBeGreaterThan(2 * ((many?.high ?? 0) - (many?.low ?? 0)));
  });

  it('predicts what the arithmetic says, and an unseen product by the common effects', () => {
    const rows = sales({ elasticities: [-2, -2, -2], rowsOf: () => 300, level: 5, noise: 0.05 }, false);
    for (const effects of ['price', 'price-and-context'] as const) {
      const model = fitDemandModel(rows, 'gaussian', effects);
      const asked = ['p0', 'new'].map((product) => ({ product, price: 20, context: { promo: 1 } }));
      const predicted = predictLogUnits(model, demandTable(asked));
      for (const logUnits of predicted) expect(logUnits).toBeCloseTo(5 - 2 * Math.log(2) + 0.5, 1);
    }
  });

  it('expects of a dear product that was never seen what dear products sell, not what a dear cheap product would', () => {
    // Levels fall by 0.5 a unit of log price between products, by 2 within each.
    const random = seededRandom(4);
    const rows = Array.from({ length: 40 }, (_, p) => p).flatMap((p) => {
      const usual = 2 + p / 10;
      return Array.from({ length: 30 }, (_unused, k) => {
        const logPrice = usual + 0.2 * randomNormal(random);
        const units = Math.exp(5 - 0.5 * usual - 2 * (logPrice - usual));
        return {
          product: `p${p}`,
          price: Math.exp(logPrice),
          units,
          at: new Date(k * 86_400_000),
          context: {},
        };
      });
    });
    const model = fitDemandModel(rows, 'gaussian', 'price');
    const [dear] = predictLogUnits(model, demandTable([{ product: 'new', price: Math.exp(6), context: {} }]));
    expect(Math.abs((dear ?? 0) - (5 - 0.5 * 6))).toBeLessThan(0.3);
    expect(model.commonElasticity.value).toBeCloseTo(-2, 1);
  });

  it('knows nothing of context where it is asked to leave it out', () => {
    const rows = sales({ elasticities: [-2], rowsOf: () => 60, level: 5, noise: 0.1 }, false);
    expect(fitDemandModel(rows, 'gaussian', 'price-without-context').encoding.features).toEqual([
      'product level',
      'price effect',
    ]);
  });

  it('refuses prices that are not positive and units below 0', () => {
    const [row] = sales({ elasticities: [-2], rowsOf: () => 3, level: 5, noise: 0.1 }, false);
    if (!row) throw new Error('three rows were made');
    expect(() => fitDemandModel([{ ...row, price: 0 }], 'gaussian', 'price')).toThrow(code('INVALID_INPUT'));
    expect(() => fitDemandModel([{ ...row, units: -1 }], 'poisson', 'price')).toThrow(code('INVALID_INPUT'));
  });
});
