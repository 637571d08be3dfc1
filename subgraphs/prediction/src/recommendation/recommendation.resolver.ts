import { checkPageSize } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Info, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { startBudget } from '../decision/budget.js';
import { checkIds, checkText } from '../input-checks.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import { selects, selectsUnder } from '../selection.js';
import { distinctLatest } from '../customer/customer-features.service.js';
import type { Audience } from './audience.js';
import type { RecommendationSet } from './recommendation.service.js';

export const MAX_SLATE = 100;
const MAX_SLOT_CHARACTERS = 64;
const MAX_IDS = 500;
/** Products of the history that an explanation can name, and that a short reason needs. */
const EXPLAINED_REASONS = 10;
const SHORT_REASONS = 1;

interface SlateArgs {
  slot: string;
  first: number | null;
  exclude?: string[] | null;
  budgetMs?: number | null;
}

@Resolver('Customer')
export class RecommendationResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  recommendations(
    @Parent() customer: { id: string },
    @Args() args: SlateArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<RecommendationSet> {
    return this.recommend({ customerId: customer.id }, args, { context, info });
  }

  @Query()
  sessionRecommendations(
    @Args('session') session: { anonymousRef: string; viewed: string[] },
    @Args() args: SlateArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<RecommendationSet> {
    const anonymousRef = checkText(session.anonymousRef, 'session.anonymousRef');
    const viewed = distinctLatest(checkIds(session.viewed, 'session.viewed', MAX_IDS));
    return this.recommend({ anonymousRef, viewed }, args, { context, info });
  }

  private async recommend(
    audience: Audience,
    args: SlateArgs,
    asked: { context: RequestContext; info: GraphQLResolveInfo },
  ): Promise<RecommendationSet> {
    return this.loaders.of(asked.context).recommendations.load({
      audience,
      slot: checkText(args.slot, 'slot', MAX_SLOT_CHARACTERS),
      first: checkPageSize(args.first ?? 10, MAX_SLATE),
      exclude: [...new Set(checkIds(args.exclude ?? [], 'exclude', MAX_IDS))],
      reasonsPerItem: reasonsWanted(asked.info),
      budget: startBudget(args.budgetMs, this.settings.defaultBudgetMs, asked.context),
    });
  }
}

/** Reasons an item that the query asks for, directly or through an explanation. */
export function reasonsWanted(info: GraphQLResolveInfo): number {
  if (selects(info, 'explanation')) return EXPLAINED_REASONS;
  return selectsUnder(info, 'items', 'reason', 'becauseOf') ? SHORT_REASONS : 0;
}
