import { type CustomerScore, CustomerScores, type ScorePosition } from '@sextant/batch-scoring';
import { checkPageSize, decodeCursor, type Page, pageOf } from '@sextant/domain';
import type { ModelVersion } from '@sextant/model-registry';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { LoaderRegistry } from '../request-loaders.js';
import { checkScoreTask } from './score-task-argument.js';
import { BatchScoreLoader } from './batch-score.loader.js';

const MAX_TOP = 100;

interface TopArguments {
  task: string;
  first?: number | null;
  after?: string | null;
}

@Resolver('BatchScore')
export class BatchScoreResolver {
  constructor(
    private readonly scores: CustomerScores,
    private readonly loaders: LoaderRegistry,
  ) {}

  @Query()
  async topCustomers(
    @Args() { task, first, after }: TopArguments,
    @Context() { identity }: RequestContext,
  ): Promise<Page<CustomerScore>> {
    const limit = checkPageSize(first ?? 20, MAX_TOP);
    const rows = await this.scores.top(identity.tenantId, checkScoreTask(task, 'task'), {
      first: limit + 1,
      after: after == null ? null : positionOf(after),
    });
    return pageOf(rows, { limit, after, keyOf: ({ score, customerId }) => [score, customerId] });
  }

  @ResolveField()
  customer(@Parent() { customerId }: CustomerScore): { id: string } {
    return { id: customerId };
  }

  @ResolveField()
  probability(@Parent() { score }: CustomerScore): number {
    return score;
  }

  @ResolveField()
  modelVersion(
    @Parent() { modelVersionId }: CustomerScore,
    @Context() context: RequestContext,
  ): Promise<ModelVersion | null> {
    return this.loaders.of(context).versions.load(modelVersionId);
  }
}

@Resolver('Customer')
export class CustomerBatchScoreResolver {
  constructor(private readonly scores: BatchScoreLoader) {}

  @ResolveField()
  async batchScore(
    @Parent() { id }: { id: string },
    @Args('task') task: string,
    @Context() context: RequestContext,
  ): Promise<CustomerScore | null> {
    return this.scores.load(context, checkScoreTask(task, 'task'), id);
  }
}

/** @throws DomainError INVALID_CURSOR */
function positionOf(after: string): ScorePosition {
  const [score, customerId] = decodeCursor(after, ['number', 'string']);
  return { score: Number(score), customerId: String(customerId) };
}
