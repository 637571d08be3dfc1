import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JointProduct, optimisePrices, type ParityRule } from './optimise-prices.js';
import type { PriceObjective } from './price-objective.js';

const refused = expect.objectContaining({ code: 'INVALID_INPUT' });
const linear = (
  id: string,
  prices: number[],
  [most, slope]: readonly [number, number],
  costMinor = 0,
): JointProduct => ({
  id,
  prices,
  units: prices.map((price) => Math.max(0, most - slope * price)),
  costMinor,
  stock: null,
});
const free = { objective: 'margin', parity: [] } as const;
const pricesOf = (
  products: JointProduct[],
  parity: ParityRule[] = [],
  objective: PriceObjective = 'margin',
) => Object.fromEntries(optimisePrices(products, { objective, parity }).priceMinor);

/** Every assignment, one after the other. */
function bruteForce(products: JointProduct[], parity: ParityRule[]): number {
  let best = Number.NEGATIVE_INFINITY;
  const walk = (chosen: Map<string, number>, sum: number): void => {
    const product = products[chosen.size];
    if (product) {
      product.prices.forEach((price, i) => {
        walk(
          new Map(chosen).set(product.id, price),
          sum + (product.units[i] ?? 0) * (price - product.costMinor),
        );
      });
      return;
    }
    const keeps = parity.every((rule) =>
      rule.kind === 'same-price'
        ? new Set(rule.products.map((id) => chosen.get(id))).size === 1
        : (chosen.get(rule.larger) ?? 0) * rule.smallerSize <=
          (chosen.get(rule.smaller) ?? 0) * rule.largerSize,
    );
    if (keeps) best = Math.max(best, sum);
  };
  walk(new Map(), 0);
  return best;
}

describe('optimisePrices', () => {
  const grid = Array.from({ length: 11 }, (_, k) => 100 * k);

  it('finds the textbook price of a straight demand curve for margin and for revenue', () => {
    // units 100 − 0.1 p: margin (p − 200)(100 − 0.1 p) peaks at 600, revenue at 500.
    const product = linear('a', grid, [100, 0.1], 200);
    expect(pricesOf([product])).toEqual({ a: 600 });
    expect(pricesOf([product], [], 'revenue')).toEqual({ a: 500 });
    expect(optimisePrices([product], free).total).toBe(16_000);
  });

  it('sells scarce stock dear: the price at which demand meets it', () => {
    expect(pricesOf([{ ...linear('a', grid, [100, 0.1], 200), stock: 20 }])).toEqual({ a: 800 });
  });

  it('makes the larger pack no dearer a unit, by moving both to the best pair', () => {
    const [six, twelve] = [linear('six', grid, [100, 0.2]), linear('twelve', grid, [200, 0.1])];
    const parity: ParityRule[] = [
      { kind: 'unit-price', smaller: 'six', larger: 'twelve', smallerSize: 6, largerSize: 12 },
    ];
    expect(pricesOf([six, twelve])).toEqual({ six: 200, twelve: 1000 });
    const joint = pricesOf([six, twelve], parity);
    expect(joint['twelve']).toBeLessThanOrEqual(2 * (joint['six'] ?? 0));
    expect(optimisePrices([six, twelve], { objective: 'margin', parity }).total).toBeCloseTo(
      bruteForce([six, twelve], parity),
      9,
    );
  });

  it('charges the same in every region where it must', () => {
    const [north, south] = [linear('north', grid, [100, 0.1]), linear('south', grid, [100, 0.25])];
    const parity: ParityRule[] = [{ kind: 'same-price', products: ['north', 'south'] }];
    const { north: a, south: b } = pricesOf([north, south], parity);
    expect(a).toBe(b);
    expect(optimisePrices([north, south], { objective: 'margin', parity }).total).toBe(
      bruteForce([north, south], parity),
    );
  });

  it('equals brute force on chains, trees and cycles of rules', () => {
    const products = fc.array(fc.array(fc.nat({ max: 50 }), { minLength: 4, maxLength: 4 }), {
      minLength: 4,
      maxLength: 4,
    });
    const rule = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 3 }), fc.boolean());
    fc.assert(
      fc.property(products, fc.array(rule, { maxLength: 5 }), (units, drawn) => {
        const group = units.map((own, p) => ({
          id: `p${p}`,
          prices: [100, 150, 200, 300],
          units: own,
          costMinor: 20 * p,
          stock: null,
        }));
        const parity = drawn.flatMap(([a, b, same]): ParityRule[] => {
          if (a === b) return [];
          const [s, l] = [Math.min(a, b), Math.max(a, b)];
          return same && s === 0
            ? [{ kind: 'same-price', products: [`p${s}`, `p${l}`] }]
            : [
                {
                  kind: 'unit-price',
                  smaller: `p${s}`,
                  larger: `p${l}`,
                  smallerSize: s + 1,
                  largerSize: l + 1,
                },
              ];
        });
        expect(optimisePrices(group, { objective: 'margin', parity }).total).toBeCloseTo(
          bruteForce(group, parity),
          6,
        );
      }),
      { numRuns: 150 },
    );
  });

  it('never prices lower when cost rises, nor higher for revenue than for margin', () => {
    const curve = fc.array(fc.double({ min: 0, max: 0.9, noNaN: true }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(curve, fc.nat({ max: 400 }), fc.nat({ max: 400 }), (falls, cost, more) => {
        let level = 100;
        const product = {
          id: 'a',
          prices: grid.slice(1, 10),
          units: falls.map((f) => (level *= 1 - f)),
          costMinor: cost,
          stock: null,
        };
        const priceAt = (costMinor: number, objective: PriceObjective): number =>
          pricesOf([{ ...product, costMinor }], [], objective)['a'] ?? 0;
        expect(priceAt(cost + more, 'margin')).toBeGreaterThanOrEqual(priceAt(cost, 'margin'));
        expect(priceAt(cost, 'revenue')).toBeLessThanOrEqual(priceAt(cost, 'margin'));
      }),
    );
  });

  it('solves ten pack sizes on 200 prices each in a moment', () => {
    const prices = Array.from({ length: 200 }, (_, k) => 100 + 10 * k);
    const group = Array.from({ length: 10 }, (_, p) =>
      linear(`p${p}`, prices, [300 + 40 * p, 0.1 + 0.01 * ((p * 7) % 5)]),
    );
    const parity = group.slice(1).map((_, p): ParityRule => ({
      kind: 'unit-price',
      smaller: `p${p}`,
      larger: `p${p + 1}`,
      smallerSize: p + 1,
      largerSize: p + 2,
    }));
    const { priceMinor } = optimisePrices(group, { objective: 'margin', parity });
    const perUnit = [...priceMinor.values()].map((price, p) => price / (p + 1));
    perUnit.slice(1).forEach((value, p) => expect(value).toBeLessThanOrEqual((perUnit[p] ?? 0) + 1e-9));
  });

  it('refuses what cannot be: unknown products, no common price, rules that no price keeps, wrong numbers', () => {
    const [a, b] = [linear('a', [100], [10, 0]), linear('b', [300], [10, 0])];
    const rules = (parity: ParityRule[]) => () => optimisePrices([a, b], { objective: 'margin', parity });
    expect(rules([{ kind: 'same-price', products: ['a', 'c'] }])).toThrow(refused);
    expect(rules([{ kind: 'same-price', products: ['a', 'b'] }])).toThrow(refused);
    expect(rules([{ kind: 'unit-price', smaller: 'a', larger: 'b', smallerSize: 1, largerSize: 2 }])).toThrow(
      refused,
    );
    expect(rules([{ kind: 'unit-price', smaller: 'a', larger: 'b', smallerSize: 2, largerSize: 1 }])).toThrow(
      refused,
    );
    expect(() => optimisePrices([{ ...a, prices: [] }], free)).toThrow(refused);
    expect(() => optimisePrices([{ ...a, units: [Number.NaN] }], free)).toThrow(refused);
    expect(() => optimisePrices([a, a], free)).toThrow(refused);
    expect(optimisePrices([], free)).toEqual({ priceMinor: new Map(), total: 0 });
  });
});
