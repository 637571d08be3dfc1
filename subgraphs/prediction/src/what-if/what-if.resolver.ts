import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { DecisionRecord } from '../decision/decision.resolver.js';
import { RequestBudget } from '../replay/request-budget.js';
import { type WhatIf, WhatIfService } from './what-if.service.js';

const MAX_QUESTIONS = 20;

@Resolver('DecisionRecord')
export class WhatIfResolver {
  private readonly budget = new RequestBudget(MAX_QUESTIONS, 'what-ifs');

  constructor(private readonly service: WhatIfService) {}

  @ResolveField()
  async whatIf(
    @Parent() { logged }: DecisionRecord,
    @Args() { changes, actionable }: { changes: unknown; actionable?: string[] | null },
    @Context() context: RequestContext,
  ): Promise<WhatIf> {
    this.budget.spend(context, 1);
    return this.service.ask(context.identity.tenantId, logged, { changes, actionable: actionable ?? null });
  }
}
