import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listPriceWithin, priceBounds, roundingFor } from './price-rules.js';

const rules = { minCostFactor: 1.05, minListFactor: 0.7, maxListFactor: 1.1 };
const product = (listPriceMinor: number, costMinor: number | null) => ({
  listPriceMinor,
  costMinor,
  currency: 'EUR',
});

describe('price rules', () => {
  it('bound the price by cost and list price, inclusive and exact', () => {
    expect(priceBounds(product(1000, 200), rules)).toEqual({ floorMinor: 700, ceilingMinor: 1100 });
    expect(priceBounds(product(1000, 900), rules)).toEqual({ floorMinor: 945, ceilingMinor: 1100 });
    expect(priceBounds(product(999, null), rules)).toEqual({ floorMinor: 700, ceilingMinor: 1098 });
    expect(priceBounds(product(1, 0), rules)).toEqual({ floorMinor: 1, ceilingMinor: 1 });
  });

  it('end prices in .99 only where the bounds leave one and the currency has cents', () => {
    expect(roundingFor({ floorMinor: 700, ceilingMinor: 1100 }, 'EUR')).toBe('x.99');
    expect(roundingFor({ floorMinor: 799, ceilingMinor: 799 }, 'EUR')).toBe('x.99');
    expect(roundingFor({ floorMinor: 700, ceilingMinor: 798 }, 'EUR')).toBe('none');
    expect(roundingFor({ floorMinor: 800, ceilingMinor: 898 }, 'EUR')).toBe('none');
    expect(roundingFor({ floorMinor: 700, ceilingMinor: 1100 }, 'JPY')).toBe('none');
    expect(roundingFor({ floorMinor: 700, ceilingMinor: 1100 }, 'KWD')).toBe('none');
  });

  it('promise .99 exactly when one is admissible', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 250 }), (floorMinor, width) => {
        const ceilingMinor = floorMinor + width;
        const exists = Array.from({ length: width + 1 }, (_, i) => floorMinor + i).some(
          (price) => price % 100 === 99,
        );
        expect(roundingFor({ floorMinor, ceilingMinor }, 'EUR')).toBe(exists ? 'x.99' : 'none');
      }),
    );
  });

  it('quote the list price without a model, lifted to the floor where the cost wants it', () => {
    const near = product(1000, 990);
    const { priceMinor, guardrails } = listPriceWithin(near, priceBounds(near, rules));
    expect(priceMinor).toBe(1040);
    expect(guardrails[0]).toEqual({ rule: 'floor', bound: true, beforeMinor: 1000, afterMinor: 1040 });
    const contradiction = product(1000, 1060);
    const bounds = priceBounds(contradiction, rules);
    expect(bounds.floorMinor).toBeGreaterThan(bounds.ceilingMinor);
    expect(listPriceWithin(contradiction, bounds)).toMatchObject({
      priceMinor: 1000,
      guardrails: [{ rule: 'bounds-conflict' }],
    });
  });
});
