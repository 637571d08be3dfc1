import { checkPageSize } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Info, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { startBudget } from '../decision/budget.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import { MAX_SLATE, reasonsWanted } from './recommendation.resolver.js';
import type { RecommendationSet } from './recommendation.service.js';

const SLOT = 'similar';

@Resolver('Product')
export class SimilarProductsResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  async similar(
    @Parent() product: { id: string },
    @Args() { first, budgetMs }: { first: number | null; budgetMs?: number | null },
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<RecommendationSet> {
    return this.loaders.of(context).recommendations.load({
      audience: { productId: product.id },
      slot: SLOT,
      first: checkPageSize(first ?? 10, MAX_SLATE),
      exclude: [],
      reasonsPerItem: reasonsWanted(info),
      budget: startBudget(budgetMs, this.settings.defaultBudgetMs, context),
    });
  }
}
