import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { startBudget } from '../decision/budget.js';
import { checkInteger } from '../input-checks.js';
import { PredictionSettings } from '../prediction.settings.js';
import { LoaderRegistry } from '../request-loaders.js';
import type { ValueForecast } from './value-forecast.service.js';

const DEFAULT_HORIZON_DAYS = 365;
/** The longest that models are trained to look ahead. */
const HORIZON_DAYS = { min: 1, max: 730 } as const;

@Resolver('Customer')
export class ValueForecastResolver {
  constructor(
    private readonly loaders: LoaderRegistry,
    private readonly settings: PredictionSettings,
  ) {}

  @ResolveField()
  async lifetimeValue(
    @Parent() customer: { id: string },
    @Args() { horizonDays, budgetMs }: { horizonDays?: number | null; budgetMs?: number | null },
    @Context() context: RequestContext,
  ): Promise<ValueForecast | null> {
    return this.loaders.of(context).values.load({
      customerId: customer.id,
      horizonDays: checkInteger(horizonDays ?? DEFAULT_HORIZON_DAYS, 'horizonDays', HORIZON_DAYS),
      budget: startBudget(budgetMs, this.settings.defaultBudgetMs, context),
    });
  }
}
