import { describe, expect, it } from 'vitest';
import { quoteKey, signQuote, verifyQuote } from './quote-token.js';

const key = quoteKey('a secret of thirty-two characters');
const validUntil = new Date('2026-03-01T00:15:00.000Z');
const quote = {
  tenantId: 'demo',
  productId: 'p.1',
  priceMinor: 1999,
  currency: 'EUR',
  quantity: 3,
  decisionId: 'dec_1',
  validUntil,
};
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

describe('quote tokens', () => {
  it('prove what was quoted until the instant they say, and not a millisecond longer', () => {
    const token = signQuote(quote, key);
    expect(verifyQuote(token, key, { tenantId: 'demo', now: validUntil })).toEqual(quote);
    const late = new Date(validUntil.getTime() + 1);
    expect(() => verifyQuote(token, key, { tenantId: 'demo', now: late })).toThrow(code('QUOTE_EXPIRED'));
  });

  it('are worth nothing when changed, of another tenant, of another key, or no token at all', () => {
    const token = signQuote(quote, key);
    const [version, , mac] = token.split('.');
    const cheaper = Buffer.from(
      JSON.stringify({ t: 'demo', p: 'p.1', a: 1, c: 'EUR', q: 3, d: 'dec_1', e: validUntil.getTime() }),
    ).toString('base64url');
    const forged = [
      `${version}.${cheaper}.${mac}`,
      `${token}x`,
      `${token}.x`,
      token.slice(0, -1),
      '',
      'q1..',
      'x'.repeat(5_000),
    ];
    for (const bad of forged) {
      expect(() => verifyQuote(bad, key, { tenantId: 'demo', now: validUntil })).toThrow(
        code('QUOTE_TOKEN_INVALID'),
      );
    }
    expect(() => verifyQuote(token, key, { tenantId: 'other', now: validUntil })).toThrow(
      code('QUOTE_TOKEN_INVALID'),
    );
    const otherKey = quoteKey('another secret of 32 characters!!');
    expect(() => verifyQuote(token, otherKey, { tenantId: 'demo', now: validUntil })).toThrow(
      code('QUOTE_TOKEN_INVALID'),
    );
  });
});
