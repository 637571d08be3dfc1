import type { ScoreTask } from '@sextant/artefacts';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Info, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { startBudget } from '../decision/budget.js';
import { checkIds, checkInteger } from '../input-checks.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import { shownContributions } from '../decision/shown-contributions.js';
import type { Score } from './score.service.js';

const MAX_LEADS = 500;
const HORIZON_DAYS = { min: 1, max: 366 } as const;

interface ScoreArgs {
  horizonDays?: number | null;
  budgetMs?: number | null;
}

interface Asking {
  context: RequestContext;
  info: GraphQLResolveInfo;
}

@Resolver('Customer')
export class ScoreResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  leadScore(
    @Parent() customer: { id: string },
    @Args() args: ScoreArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Score> {
    return this.score('lead', [customer.id, args], { context, info });
  }

  @ResolveField()
  churnRisk(
    @Parent() customer: { id: string },
    @Args() args: ScoreArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Score> {
    return this.score('churn', [customer.id, args], { context, info });
  }

  @ResolveField()
  purchaseLikelihood(
    @Parent() customer: { id: string },
    @Args() args: ScoreArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Score> {
    return this.score('purchase', [customer.id, args], { context, info });
  }

  @Query()
  scoreLeads(
    @Args('customerIds') customerIds: string[],
    @Args() args: ScoreArgs,
    @Context() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Score>[] {
    return checkIds(customerIds, 'customerIds', MAX_LEADS).map((id) =>
      this.score('lead', [id, args], { context, info }),
    );
  }

  private async score(
    task: ScoreTask,
    [customerId, { horizonDays, budgetMs }]: readonly [string, ScoreArgs],
    { context, info }: Asking,
  ): Promise<Score> {
    return this.loaders.of(context).scores[task].load({
      customerId,
      horizonDays: horizonDays == null ? null : checkInteger(horizonDays, 'horizonDays', HORIZON_DAYS),
      contributions: shownContributions(info),
      budget: startBudget(budgetMs, this.settings.defaultBudgetMs, context),
    });
  }
}
