import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lowestPrice } from './lowest-price.js';

const eur = (amountMinor: number) => ({ amountMinor, currency: 'EUR' });

describe('lowestPrice', () => {
  it('is the lowest of the window, the current price included', () => {
    expect(lowestPrice(eur(1290), [eur(1490), eur(990), eur(1290)])).toEqual(eur(990));
    expect(lowestPrice(eur(790), [eur(1490)])).toEqual(eur(790));
    expect(lowestPrice(eur(790), [])).toEqual(eur(790));
  });

  it('is null without a current price, and never compares currencies', () => {
    expect(lowestPrice(null, [eur(990)])).toBeNull();
    expect(lowestPrice(eur(1290), [{ amountMinor: 1, currency: 'JPY' }])).toEqual(eur(1290));
  });

  it('is a price of the window and never above any of them', () => {
    const amounts = fc.array(fc.nat(), { minLength: 1 });
    fc.assert(
      fc.property(amounts, fc.nat(), (history, current) => {
        const lowest = lowestPrice(eur(current), history.map(eur))?.amountMinor ?? Number.NaN;
        expect([...history, current]).toContain(lowest);
        expect(Math.min(...history, current)).toBe(lowest);
      }),
    );
  });
});
