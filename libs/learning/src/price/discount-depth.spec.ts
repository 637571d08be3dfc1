import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseDiscountDepth } from './discount-depth.js';

describe('chooseDiscountDepth', () => {
  it('takes the depth whose uplift pays for what it gives away, worked by hand', () => {
    // profit: 0.10 × 60 = 6; 0.20 × 50 = 10; 0.24 × 40 = 9.6
    const choice = chooseDiscountDepth({
      price: 100,
      cost: 40,
      depths: [0, 0.1, 0.2],
      probabilities: [0.1, 0.2, 0.24],
    });
    expect(choice.depth).toBe(0.1);
    expect(choice.uplift).toBeCloseTo(0.1, 12);
    expect(choice.gain).toBeCloseTo(4, 12);
  });

  it('makes no offer to whoever buys anyway, or where contact costs more than it brings', () => {
    const sure = { price: 100, cost: 40, depths: [0, 0.1], probabilities: [0.8, 0.8] };
    expect(chooseDiscountDepth(sure)).toEqual({ depth: 0, uplift: 0, gain: 0 });
    const dear = { ...sure, probabilities: [0.1, 0.2], contactCost: 4.1 };
    expect(chooseDiscountDepth(dear).depth).toBe(0);
  });

  it('never loses against no offer, and never gains by a dearer product cost', () => {
    const probability = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.tuple(probability, probability, probability),
        fc.double({ min: 0, max: 90, noNaN: true }),
        (probabilities, cost) => {
          const offer = { price: 100, cost, depths: [0, 0.1, 0.3], probabilities };
          const { gain, depth } = chooseDiscountDepth(offer);
          expect(gain).toBeGreaterThanOrEqual(0);
          if (depth > 0) expect(probabilities[depth === 0.1 ? 1 : 2]).toBeGreaterThan(probabilities[0]);
        },
      ),
    );
  });

  it('refuses depths that do not ascend from 0, probabilities outside [0, 1] and lengths that differ', () => {
    const offer = { price: 100, cost: 40, depths: [0, 0.1], probabilities: [0.1, 0.2] };
    expect(() => chooseDiscountDepth({ ...offer, depths: [0.1, 0.2] })).toThrow(RangeError);
    expect(() => chooseDiscountDepth({ ...offer, depths: [0, 1] })).toThrow(RangeError);
    expect(() => chooseDiscountDepth({ ...offer, probabilities: [0.1] })).toThrow(RangeError);
    expect(() => chooseDiscountDepth({ ...offer, probabilities: [0.1, Number.NaN] })).toThrow(RangeError);
    expect(() => chooseDiscountDepth({ ...offer, price: 0 })).toThrow(RangeError);
  });
});
