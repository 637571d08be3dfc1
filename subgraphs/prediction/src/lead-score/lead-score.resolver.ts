import type { RequestContext } from '@sextant/platform';
import { Args, Context, Info, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { startBudget } from '../decision/budget.js';
import { checkIds } from '../input-checks.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import { selects } from '../selection.js';
import type { Score } from './lead-score.service.js';

const MAX_LEADS = 500;

interface ScoreArgs {
  budgetMs?: number | null;
}

@Resolver('Customer')
export class LeadScoreResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  async leadScore(
    @Parent() customer: { id: string },
    @Args() args: ScoreArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Score> {
    return this.loaders.of(context).leads.load(this.question(customer.id, args, info));
  }

  @Query()
  scoreLeads(
    @Args('customerIds') customerIds: string[],
    @Args() args: ScoreArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Score>[] {
    const { leads } = this.loaders.of(context);
    return checkIds(customerIds, 'customerIds', MAX_LEADS).map((id) =>
      leads.load(this.question(id, args, info)),
    );
  }

  private question(customerId: string, { budgetMs }: ScoreArgs, info: GraphQLResolveInfo) {
    return {
      customerId,
      explain: selects(info, 'explanation'),
      budget: startBudget(budgetMs, this.settings.defaultBudgetMs),
    };
  }
}
