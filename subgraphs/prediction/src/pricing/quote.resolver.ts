import { type DecimalMoney, toDecimal } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Query, Resolver } from '@nestjs/graphql';
import { type QuoteRefusal, QuoteVerifier } from './quote-verifier.js';

interface BindingQuote {
  product: { id: string };
  price: DecimalMoney;
  quantity: number;
  validUntil: Date;
  decisionId: string;
}

@Resolver()
export class QuoteResolver {
  constructor(private readonly quotes: QuoteVerifier) {}

  @Query()
  verifyQuote(
    @Args('token') token: string,
    @Context() { identity }: RequestContext,
  ): { refusal: QuoteRefusal | null; quote: BindingQuote | null } {
    const found = this.quotes.verify(identity.tenantId, token);
    if (typeof found === 'string') return { refusal: found, quote: null };
    const { productId, priceMinor, currency, quantity, validUntil, decisionId } = found;
    const price = toDecimal({ amountMinor: priceMinor, currency });
    return { refusal: null, quote: { product: { id: productId }, price, quantity, validUntil, decisionId } };
  }
}
