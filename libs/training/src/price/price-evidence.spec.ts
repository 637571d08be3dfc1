import { type DemandRow, fitDemandModel, randomNormal, seededRandom } from '@sextant/learning';
import { describe, expect, it } from 'vitest';
import { causalElasticity, priceResponse } from './price-evidence.js';

interface World {
  rows: DemandRow[];
  randomised: boolean[];
  cost: number[];
}

/**
 * Two products of elasticity −2; most prices are set high when demand is, so that what is observed is flatter. Every fifth price is drawn at
 * random, and costs move prices.
 */
function world(n: number, pass: number): World {
  const random = seededRandom(6);
  const drawn = Array.from({ length: n }, (_, i) => {
    const [demand, cost] = [randomNormal(random), randomNormal(random)];
    const isRandom = i % 5 === 0;
    const logPrice = 2 + (isRandom ? 0.3 * randomNormal(random) : 0.25 * demand + pass * cost);
    const logUnits = 6 - 2 * logPrice + 0.5 * demand + 0.1 * randomNormal(random);
    const row = {
      product: `p${i % 2}`,
      price: Math.exp(logPrice),
      units: Math.exp(logUnits),
      at: new Date(i * 86_400_000),
      context: {},
    };
    return { row, isRandom, cost };
  });
  return {
    rows: drawn.map(({ row }) => row),
    randomised: drawn.map(({ isRandom }) => isRandom),
    cost: drawn.map(({ cost }) => cost),
  };
}
const observe = (rows: readonly DemandRow[]) => fitDemandModel(rows, 'gaussian', 'price');

describe('causalElasticity', () => {
  const { rows, randomised, cost } = world(1500, 0.2);

  it('says that what was only observed is an association', () => {
    const { basis, byProduct, warnings } = causalElasticity(rows, observe(rows), null);
    expect(basis).toBe('observed');
    expect(byProduct['p0']?.value).toBeGreaterThan(-1.6);
    expect(warnings).toEqual([expect.stringContaining('no experiment or instrument')]);
  });

  it.each([
    ['experiment', { kind: 'experiment', randomised } as const],
    ['instrument', { kind: 'instrument', values: cost } as const],
  ])('holds the truth by %s, where observation misses it', (basis, evidence) => {
    const found = causalElasticity(rows, observe(rows), evidence);
    expect(found.basis).toBe(basis);
    expect(found.warnings).toEqual([]);
    for (const { value, low, high } of Object.values(found.byProduct)) {
      expect(Math.abs(value + 2)).toBeLessThan(0.3);
      expect(low).toBeLessThan(-2);
      expect(high).toBeGreaterThan(-2);
    }
  });

  it('does not use a weak instrument, one that is fixed, one with rows that sold nothing, or a tiny experiment', () => {
    const weak = world(300, 0);
    const noise = weak.rows.map((_, i) => Math.sin(i * 12.9898));
    const refused = (evidence: Parameters<typeof causalElasticity>[2], own = weak.rows): string => {
      const family = own.some(({ units }) => units === 0) ? 'poisson' : 'gaussian';
      const { basis, warnings } = causalElasticity(own, fitDemandModel(own, family, 'price'), evidence);
      expect(basis).toBe('observed');
      return warnings.join();
    };
    expect(refused({ kind: 'instrument', values: noise })).toContain('weak (first-stage F');
    expect(refused({ kind: 'instrument', values: noise.map(() => 1) })).toContain('does not vary');
    const unsold = weak.rows.map((row, i) => (i === 0 ? { ...row, units: 0 } : row));
    expect(refused({ kind: 'instrument', values: noise }, unsold)).toContain('sold nothing');
    const few = weak.rows.map((_, i) => i < 10);
    expect(refused({ kind: 'experiment', randomised: few })).toContain('has 10 rows');
  });

  it('refuses evidence that has not one entry a row', () => {
    const short = { kind: 'experiment', randomised: [true] } as const;
    expect(() => causalElasticity(rows, observe(rows), short)).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT' }),
    );
  });
});

describe('priceResponse', () => {
  const measured = (value: number) => ({ value, low: value - 1, high: value + 1, level: 0.95 });
  const row = (product: string, day: number, price: number): DemandRow => ({
    product,
    price,
    units: 1,
    at: new Date(day * 86_400_000),
    context: {},
  });

  it('never lets a price raise demand, and starts from the usual prices of late', () => {
    const old = Array.from({ length: 60 }, (_, day) => row('a', day, 99));
    const recent = Array.from({ length: 56 }, (_, day) => row('a', 100 + day, day % 2 ? 10 : 12));
    const { elasticity, otherElasticity, reference } = priceResponse([...old, ...recent, row('b', 0, 5)], {
      basis: 'observed',
      byProduct: { a: measured(0.7) },
      other: measured(-1.5),
    });
    expect(elasticity).toEqual({ a: 0, b: -1.5 });
    expect(otherElasticity).toBe(-1.5);
    expect(reference).toEqual({ a: [10, 10, 10, 10, 12, 12, 12, 12], b: [5] });
  });
});
