import { DomainError } from '@sextant/domain';
import {
  EventOutcomes,
  type LoggedDecision,
  type Outcome,
  OutcomeRecorder,
  OutcomeRepository,
  type OutcomeSummary,
  type RecordedOutcomes,
} from '@sextant/decision-log';
import { type RequestContext, RequestLoaders } from '@sextant/platform';
import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';

import type { DecisionRecord } from '../decision/decision.resolver.js';

const MAX_OUTCOMES = 1_000;

@Resolver('DecisionRecord')
export class OutcomeResolver {
  private readonly summaries: RequestLoaders<LoggedDecision, OutcomeSummary | null>;

  constructor(
    private readonly recorder: OutcomeRecorder,
    outcomes: OutcomeRepository,
    events: EventOutcomes,
  ) {
    this.summaries = new RequestLoaders(
      async (tenantId, decisions: readonly LoggedDecision[]) => {
        const recorded = await outcomes.summariesOf(
          tenantId,
          decisions.map(({ id }) => id),
        );
        const others = decisions.filter(({ id }) => !recorded.has(id));
        const shown = await events.of(tenantId, others);
        return decisions.map(({ id }) => recorded.get(id) ?? shown.get(id) ?? null);
      },
      ({ id }) => id,
    );
  }

  @Mutation()
  recordOutcomes(
    @Args('outcomes') outcomes: Outcome[],
    @Context() { identity }: RequestContext,
  ): Promise<RecordedOutcomes> {
    if (outcomes.length > MAX_OUTCOMES) {
      throw new DomainError(
        'BATCH_TOO_LARGE',
        `outcomes may hold ${MAX_OUTCOMES} rows, got ${outcomes.length}; send it in parts`,
        { path: 'outcomes' },
      );
    }
    return this.recorder.record(identity.tenantId, outcomes);
  }

  @ResolveField()
  outcome(
    @Parent() { logged }: DecisionRecord,
    @Context() context: RequestContext,
  ): Promise<OutcomeSummary | null> {
    return this.summaries.load(context, logged);
  }
}
