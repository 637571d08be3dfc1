import { DomainError } from '@sextant/domain';
import {
  type Outcome,
  OutcomeRecorder,
  OutcomeRepository,
  type OutcomeSummary,
  type RecordedOutcomes,
} from '@sextant/decision-log';
import { type RequestContext, RequestLoaders } from '@sextant/platform';
import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';

const MAX_OUTCOMES = 1_000;

@Resolver('DecisionRecord')
export class OutcomeResolver {
  private readonly summaries: RequestLoaders<string, OutcomeSummary | null>;

  constructor(
    private readonly recorder: OutcomeRecorder,
    outcomes: OutcomeRepository,
  ) {
    this.summaries = new RequestLoaders(
      async (tenantId, ids: readonly string[]) => {
        const found = await outcomes.summariesOf(tenantId, ids);
        return ids.map((id) => found.get(id) ?? null);
      },
      (id) => id,
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
    @Parent() decision: { id: string },
    @Context() context: RequestContext,
  ): Promise<OutcomeSummary | null> {
    return this.summaries.load(context, decision.id);
  }
}
