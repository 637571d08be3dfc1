import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError } from '@sextant/domain';
import { z } from 'zod';

/** What a quote binds the company to. */
export interface QuoteStatement {
  tenantId: string;
  productId: string;
  /** of one unit, in minor units */
  priceMinor: number;
  currency: string;
  quantity: number;
  decisionId: string;
  validUntil: Date;
}

const VERSION = 'q1';
const MAX_TOKEN_CHARACTERS = 2_048;

const wire = z.object({
  t: z.string(),
  p: z.string(),
  a: z.number().int(),
  c: z.string(),
  q: z.number().int(),
  d: z.string(),
  e: z.number().int().describe('expiry, milliseconds since 1970'),
});

/** A key of its own for quotes, so that no other signature of the same secret can pass as one. */
export function quoteKey(signingSecret: string): Buffer {
  return createHmac('sha256', signingSecret).update('sextant quote token v1').digest();
}

/** Keys of `new,old`, as the secret is given while it is rotated: quotes are signed with the first and hold under each. */
export function quoteKeys(signingSecrets: string): [Buffer, ...Buffer[]] {
  const [first = '', ...rest] = signingSecrets.split(',');
  return [quoteKey(first), ...rest.map(quoteKey)];
}

/** `q1.<statement>.<HMAC-SHA-256>`, both base64url. */
export function signQuote(quote: QuoteStatement, key: Buffer): string {
  const {
    tenantId: t,
    productId: p,
    priceMinor: a,
    currency: c,
    quantity: q,
    decisionId: d,
    validUntil,
  } = quote;
  const statement = Buffer.from(
    JSON.stringify({ t, p, a, c, q, d, e: validUntil.getTime() }),
    'utf8',
  ).toString('base64url');
  return `${VERSION}.${statement}.${macOf(statement, key)}`;
}

/**
 * Proves that this company quoted this price and still stands by it; for checkout.
 *
 * @param expected.tenantId  the tenant of the caller; another tenant's token is as bad as a forged one
 * @throws DomainError QUOTE_TOKEN_INVALID, or QUOTE_EXPIRED for a genuine one after `validUntil`
 */
export function verifyQuote(
  token: string,
  key: Buffer,
  expected: { tenantId: string; now: Date },
): QuoteStatement {
  const [version, statement, mac, ...rest] = token.length > MAX_TOKEN_CHARACTERS ? [] : token.split('.');
  if (version !== VERSION || statement === undefined || mac === undefined || rest.length > 0) throw invalid();
  const [given, genuine] = [Buffer.from(mac), Buffer.from(macOf(statement, key))];
  if (given.length !== genuine.length || !timingSafeEqual(given, genuine)) throw invalid();
  const parsed = wire.safeParse(JSON.parse(Buffer.from(statement, 'base64url').toString('utf8')));
  if (!parsed.success || parsed.data.t !== expected.tenantId) throw invalid();
  const { t, p, a, c, q, d, e } = parsed.data;
  if (expected.now.getTime() > e)
    throw new DomainError('QUOTE_EXPIRED', 'the quote is no longer valid; ask for a new one');
  return {
    tenantId: t,
    productId: p,
    priceMinor: a,
    currency: c,
    quantity: q,
    decisionId: d,
    validUntil: new Date(e),
  };
}

function macOf(statement: string, key: Buffer): string {
  return createHmac('sha256', key).update(`${VERSION}.${statement}`).digest('base64url');
}

function invalid(): DomainError {
  return new DomainError('QUOTE_TOKEN_INVALID', 'this is no token of a quote of ours');
}
