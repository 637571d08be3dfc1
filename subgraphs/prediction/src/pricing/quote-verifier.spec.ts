import { describe, expect, it } from 'vitest';
import { quoteKeys, signQuote } from './quote-token.js';
import { QuoteVerifier } from './quote-verifier.js';

const VALID_UNTIL = new Date('2026-03-01T12:00:00Z');
const OLD = 'the old secret of thirty-two characters';
const NEW = 'the new secret of thirty-two characters';
const statement = {
  ...{ tenantId: 'demo', productId: 'p3', priceMinor: 2_700, currency: 'EUR', quantity: 2 },
  ...{ decisionId: 'dec_1', validUntil: VALID_UNTIL },
};
const at = (now: Date, secrets: string) => new QuoteVerifier(quoteKeys(secrets), { now: () => now });

describe('QuoteVerifier', () => {
  const token = signQuote(statement, quoteKeys(OLD)[0]);

  it('stands by a quote until its last millisecond and not after', () => {
    expect(at(VALID_UNTIL, OLD).verify('demo', token)).toEqual(statement);
    expect(at(new Date(VALID_UNTIL.getTime() + 1), OLD).verify('demo', token)).toBe('EXPIRED');
  });

  it('stands by quotes of before while the secret is rotated', () => {
    expect(at(VALID_UNTIL, `${NEW},${OLD}`).verify('demo', token)).toEqual(statement);
    expect(at(VALID_UNTIL, NEW).verify('demo', token)).toBe('FORGED');
    const later = signQuote(statement, quoteKeys(`${NEW},${OLD}`)[0]);
    expect(at(VALID_UNTIL, NEW).verify('demo', later)).toEqual(statement);
  });

  it('knows a forged token, and another tenant’s', () => {
    expect(at(VALID_UNTIL, OLD).verify('other', token)).toBe('FORGED');
    expect(at(VALID_UNTIL, OLD).verify('demo', `${token}x`)).toBe('FORGED');
  });
});
