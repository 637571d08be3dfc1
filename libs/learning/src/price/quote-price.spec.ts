import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planPrices, type QuoteRules, type SeenPrices } from './price-plan.js';
import { chooseQuote, type GuardrailOutcome, type PriceQuote } from './quote-price.js';

const rules = (over: Partial<QuoteRules> = {}): QuoteRules => ({
  listPriceMinor: 1500,
  costMinor: 1000,
  floorMinor: 1100,
  ceilingMinor: 3000,
  stepMinor: 1,
  rounding: 'none',
  stock: null,
  ...over,
});
/** Plan, demand and choice for a demand curve that is a plain function of the price. */
function quotePrice(
  quoteRules: QuoteRules,
  range: SeenPrices | null,
  unitsAt: (priceMinor: number) => number,
): PriceQuote {
  const plan = planPrices(quoteRules, range);
  return chooseQuote(plan, quoteRules, plan.demandAt.map(unitsAt));
}
const seen = { lowMinor: 1000, highMinor: 4000 };
/** Constant elasticity −2.5: the best price is cost · 2.5 / 1.5. */
const demand = (price: number): number => 1e9 * price ** -2.5;
const outcome = (quote: PriceQuote, rule: GuardrailOutcome['rule']): GuardrailOutcome | undefined =>
  quote.guardrails.find((guardrail) => guardrail.rule === rule);
const invalid = (path: string): unknown => expect.objectContaining({ code: 'INVALID_INPUT', path });

describe('chooseQuote over the planned prices', () => {
  it('finds the margin-optimal price of a constant elasticity: cost · e / (1 + e)', () => {
    const stepped = quotePrice(rules({ stepMinor: 10, floorMinor: 1110 }), seen, demand);
    expect(stepped.priceMinor).toBe(1670);
    expect(stepped.expectedMarginMinor).toBeCloseTo(demand(1670) * 670, 6);
    const fine = quotePrice(rules({ floorMinor: 1600, ceilingMinor: 1800 }), seen, demand);
    expect(fine.priceMinor).toBe(1667);
  });

  it('ends as the rounding wants', () => {
    expect(quotePrice(rules({ rounding: 'x.99' }), seen, demand).priceMinor).toBe(1699);
    expect(quotePrice(rules({ rounding: 'x.95' }), seen, demand).priceMinor).toBe(1695);
    expect(quotePrice(rules({ rounding: 'x.90' }), seen, demand).priceMinor).toBe(1690);
    expect(quotePrice(rules({ rounding: 'whole' }), seen, demand).priceMinor).toBe(1700);
    expect(
      planPrices(rules({ rounding: 'x.99', stepMinor: 150, ceilingMinor: 2000 }), seen).admissible,
    ).toEqual([1199, 1399, 1599, 1799, 1999]);
    expect(
      planPrices(rules({ rounding: 'x.99', minorDigits: 0, ceilingMinor: 1300 }), seen).admissible,
    ).toEqual([1199, 1299]);
  });

  it('says which bound moved the price, from where to where', () => {
    const floored = quotePrice(rules({ floorMinor: 2000 }), seen, demand);
    expect(floored.priceMinor).toBe(2000);
    expect(outcome(floored, 'floor')).toMatchObject({ bound: true, afterMinor: 2000 });
    expect(Math.abs((outcome(floored, 'floor')?.beforeMinor ?? 0) - 1667)).toBeLessThan(30);
    expect(outcome(floored, 'ceiling')?.bound).toBe(false);
    const capped = quotePrice(rules({ ceilingMinor: 1300 }), seen, demand);
    expect(capped.priceMinor).toBe(1300);
    expect(outcome(capped, 'ceiling')).toMatchObject({ bound: true, afterMinor: 1300 });
  });

  it('raises the price where the stock is short, and never sells more than it', () => {
    const stock = demand(2500);
    const quote = quotePrice(rules({ stock, floorMinor: 1000, stepMinor: 100 }), seen, demand);
    expect(quote.priceMinor).toBe(2500);
    expect(quote.expectedUnits).toBeLessThanOrEqual(stock);
    expect(outcome(quote, 'stock')).toMatchObject({ bound: true });
    const none = quotePrice(rules({ stock: 0 }), seen, demand);
    expect([none.expectedUnits, none.expectedMarginMinor, none.priceMinor]).toEqual([0, 0, 1500]);
  });

  it('never leaves the prices seen, and takes demand at the nearest one where the rules force it out', () => {
    const edge = quotePrice(rules({ floorMinor: 0 }), { lowMinor: 1200, highMinor: 1400 }, demand);
    expect(edge.priceMinor).toBe(1400);
    expect(outcome(edge, 'seen-range')?.bound).toBe(true);
    const forced = quotePrice(rules({ floorMinor: 2000 }), { lowMinor: 1200, highMinor: 1400 }, demand);
    expect(forced.priceMinor).toBe(2000);
    expect(forced.expectedUnits).toBe(demand(1400));
    const unseen = quotePrice(rules({ rounding: 'x.99' }), null, demand);
    expect([unseen.priceMinor, unseen.expectedUnits]).toEqual([1499, demand(1500)]);
  });

  it('flags a price that does not cover its cost and loses as little as it can', () => {
    const quote = quotePrice(rules({ costMinor: 5000 }), seen, demand);
    expect(quote.expectedMarginMinor).toBeLessThan(0);
    expect(outcome(quote, 'cost')?.bound).toBe(true);
    expect(quote.priceMinor).toBe(3000);
  });

  it('prefers the price nearest to the list price where demand is zero everywhere', () => {
    expect(quotePrice(rules(), seen, () => 0).priceMinor).toBe(1500);
  });

  it('refuses rules that contradict themselves, and demand that is no number', () => {
    expect(() => quotePrice(rules({ floorMinor: 3001 }), seen, demand)).toThrow(invalid('floorMinor'));
    expect(() =>
      quotePrice(rules({ floorMinor: 1500, ceilingMinor: 1550, rounding: 'x.99' }), seen, demand),
    ).toThrow(invalid('rounding'));
    expect(() => quotePrice(rules({ stepMinor: 0 }), seen, demand)).toThrow(invalid('stepMinor'));
    expect(() => quotePrice(rules({ costMinor: 1.5 }), seen, demand)).toThrow(invalid('costMinor'));
    expect(() => quotePrice(rules({ stock: -1 }), seen, demand)).toThrow(invalid('stock'));
    expect(() => quotePrice(rules(), seen, () => Number.NaN)).toThrow(
      expect.objectContaining({ code: 'FEATURE_VECTOR_MISMATCH' }),
    );
    expect(() => chooseQuote(planPrices(rules(), seen), rules(), [1])).toThrow();
  });

  it('obeys every rule and beats every other admissible price, for any rules', () => {
    const anyRules = fc.record({
      floorMinor: fc.integer({ min: 0, max: 3000 }),
      width: fc.integer({ min: 100, max: 3000 }),
      stepMinor: fc.integer({ min: 1, max: 300 }),
      costMinor: fc.integer({ min: 0, max: 4000 }),
      rounding: fc.constantFrom('none', 'x.99', 'x.95', 'x.90', 'whole'),
    });
    fc.assert(
      fc.property(anyRules, ({ width, ...some }) => {
        const r = rules({ ...some, ceilingMinor: some.floorMinor + width });
        const plan = planPrices(r, seen);
        const quote = quotePrice(r, seen, demand);
        expect(plan.admissible).toContain(quote.priceMinor);
        for (const [k, price] of plan.admissible.entries()) {
          expect(price).toBeGreaterThanOrEqual(r.floorMinor);
          expect(price).toBeLessThanOrEqual(r.ceilingMinor);
          expect(price - (plan.admissible[k - 1] ?? -Infinity)).toBeGreaterThanOrEqual(r.stepMinor);
          const units = demand(plan.demandAt[plan.free.length + k] ?? 0);
          expect(units * (price - r.costMinor)).toBeLessThanOrEqual(quote.expectedMarginMinor);
        }
      }),
    );
  });

  it('searches at most 256 prices of a wide span', () => {
    const wide = planPrices(rules({ floorMinor: 0, ceilingMinor: 1_000_000 }), {
      lowMinor: 0,
      highMinor: 1_000_000,
    });
    expect(wide.admissible.length).toBeLessThanOrEqual(256);
    expect(wide.admissible.length).toBeGreaterThan(128);
  });
});

describe('chooseQuote for revenue', () => {
  it('quotes where units × price is highest, never above the price of highest margin', () => {
    // units 300 − 0.1 p over 1,100 to 2,900: revenue peaks at 1,500, margin above a cost of 1,000 at 2,000.
    const seen = { lowMinor: 1100, highMinor: 2900 };
    const priceFor = (objective: 'margin' | 'revenue'): number => {
      const wanted = { ...rules({ stepMinor: 100 }), objective };
      const plan = planPrices(wanted, seen);
      return chooseQuote(
        plan,
        wanted,
        plan.demandAt.map((price) => 300 - 0.1 * price),
      ).priceMinor;
    };
    expect([priceFor('revenue'), priceFor('margin')]).toEqual([1500, 2000]);
  });
});
