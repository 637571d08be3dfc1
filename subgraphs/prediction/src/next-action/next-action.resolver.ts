import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { startBudget } from '../decision/budget.js';
import { checkText } from '../input-checks.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import type { NextAction } from './next-action.service.js';

@Resolver('Customer')
export class NextActionResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  async nextBestAction(
    @Parent() customer: { id: string },
    @Args() { goal, budgetMs }: { goal: string; budgetMs?: number | null },
    @Context() context: RequestContext,
  ): Promise<NextAction> {
    return this.loaders.of(context).actions.load({
      customerId: customer.id,
      goal: checkText(goal, 'goal'),
      budget: startBudget(budgetMs, this.settings.defaultBudgetMs, context),
    });
  }
}
