import type { RequestContext } from '@sextant/platform';
import { Args, Context, Info, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { startBudget } from '../decision/budget.js';
import { checkIds, checkInteger, checkText } from '../input-checks.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import { selects } from '../selection.js';
import { checkContext, checkPrices, type DemandPoint } from './demand.service.js';
import type { PriceQuestion, PriceQuote } from './price.service.js';

const MAX_PRODUCTS = 100;
const QUANTITY = { min: 1, max: 10_000 } as const;

interface PriceArgs {
  customerId?: string | null;
  quantity: number | null;
  region?: string | null;
  budgetMs?: number | null;
}

@Resolver('Product')
export class PriceResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  async price(
    @Parent() product: { id: string },
    @Args() args: PriceArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<PriceQuote> {
    return this.loaders.of(context).prices.load(this.question(product.id, args, { context, info }));
  }

  @ResolveField()
  async demandCurve(
    @Parent() product: { id: string },
    @Args() args: { prices: string[]; context?: unknown; budgetMs?: number | null },
    @Context() context: RequestContext,
  ): Promise<DemandPoint[] | null> {
    return this.loaders.of(context).demand.load({
      productId: product.id,
      prices: checkPrices(args.prices),
      context: checkContext(args.context),
      budget: startBudget(args.budgetMs, this.settings.defaultBudgetMs, context),
    });
  }

  @Query()
  priceQuotes(
    @Args('productIds') productIds: string[],
    @Args() args: PriceArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<PriceQuote>[] {
    const { prices } = this.loaders.of(context);
    return checkIds(productIds, 'productIds', MAX_PRODUCTS).map((id) =>
      prices.load(this.question(id, args, { context, info })),
    );
  }

  private question(
    productId: string,
    args: PriceArgs,
    asked: { context: RequestContext; info: GraphQLResolveInfo },
  ): PriceQuestion {
    const { customerId, quantity, region, budgetMs } = args;
    return {
      productId,
      quantity: checkInteger(quantity ?? 1, 'quantity', QUANTITY),
      region: region ? checkText(region, 'region') : null,
      customerId: customerId ? checkText(customerId, 'customerId') : null,
      explain: selects(asked.info, 'explanation'),
      budget: startBudget(budgetMs, this.settings.defaultBudgetMs, asked.context),
    };
  }
}
