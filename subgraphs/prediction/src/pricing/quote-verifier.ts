import { type Clock, DomainError } from '@sextant/domain';
import { type QuoteStatement, verifyQuote } from './quote-token.js';

/** Why a quote does not bind. */
export type QuoteRefusal = 'FORGED' | 'EXPIRED';

/** Tells checkouts what the company is bound to. */
export class QuoteVerifier {
  /** @param keys  a quote holds under each of them */
  constructor(
    private readonly keys: readonly Buffer[],
    private readonly clock: Clock,
  ) {}

  verify(tenantId: string, token: string): QuoteStatement | QuoteRefusal {
    const now = this.clock.now();
    for (const key of this.keys) {
      try {
        return verifyQuote(token, key, { tenantId, now });
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        if (error.code === 'QUOTE_EXPIRED') return 'EXPIRED';
        if (error.code !== 'QUOTE_TOKEN_INVALID') throw error;
      }
    }
    return 'FORGED';
  }
}
