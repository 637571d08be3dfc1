import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DomainError } from './errors.js';
import { toDecimal, toMinor } from './money.js';

describe('money', () => {
  it.each([
    ['12.90', 'EUR', 1290],
    ['12.9', 'EUR', 1290],
    ['12', 'EUR', 1200],
    ['-0.05', 'USD', -5],
    ['1500', 'JPY', 1500],
    ['1.250', 'KWD', 1250],
    ['12.900', 'EUR', 1290],
  ])('reads %s %s exactly as %d minor units', (amount, currency, amountMinor) => {
    expect(toMinor({ amount, currency })).toEqual({ amountMinor, currency });
  });

  it.each([
    ['12.905', 'EUR'],
    ['1.5', 'JPY'],
    ['1e3', 'EUR'],
    ['', 'EUR'],
    ['.5', 'EUR'],
    ['1,50', 'EUR'],
    ['99999999999999', 'EUR'],
    ['1.00', 'euro'],
    ['1.00', 'XXQ'],
  ])('refuses %j %s and says why', (amount, currency) => {
    expect(() => toMinor({ amount, currency })).toThrow(DomainError);
  });

  it('prints what it reads', () => {
    const amounts = fc.integer({ min: -1e12, max: 1e12 });
    const currencies = fc.constantFrom('EUR', 'JPY', 'KWD');
    fc.assert(
      fc.property(amounts, currencies, (amountMinor, currency) => {
        expect(toMinor(toDecimal({ amountMinor, currency }))).toEqual({ amountMinor, currency });
      }),
    );
  });

  it('never prints a float', () => {
    expect(() => toDecimal({ amountMinor: 0.5, currency: 'EUR' })).toThrow(/safe integer/);
  });
});
