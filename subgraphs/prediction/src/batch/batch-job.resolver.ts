import {
  type BatchJob,
  BatchJobs,
  etaSecondsOf,
  processedOf,
  progressOf,
  rateOf,
} from '@sextant/batch-scoring';
import { checkPageSize } from '@sextant/domain';
import type { ModelVersion } from '@sextant/model-registry';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { checkText } from '../input-checks.js';
import { LoaderRegistry } from '../request-loaders.js';
import { checkScoreTask } from './score-task-argument.js';

const MAX_JOBS = 100;

interface ScoreCustomersInput {
  task: string;
  idempotencyKey?: string | null;
}

@Resolver('BatchJob')
export class BatchJobResolver {
  constructor(
    private readonly jobs: BatchJobs,
    private readonly loaders: LoaderRegistry,
  ) {}

  @Query()
  batchJob(@Args('id') id: string, @Context() { identity }: RequestContext): Promise<BatchJob | null> {
    return this.jobs.find(identity.tenantId, checkText(id, 'id'));
  }

  @Query()
  batchJobs(
    @Args('first') first: number | null,
    @Context() { identity }: RequestContext,
  ): Promise<BatchJob[]> {
    return this.jobs.list(identity.tenantId, checkPageSize(first ?? 20, MAX_JOBS));
  }

  @Mutation()
  async scoreCustomers(
    @Args('input') { task, idempotencyKey }: ScoreCustomersInput,
    @Context() { identity }: RequestContext,
  ): Promise<BatchJob> {
    return this.jobs.enqueue({
      tenantId: identity.tenantId,
      task: checkScoreTask(task, 'input.task'),
      idempotencyKey: idempotencyKey ? checkText(idempotencyKey, 'input.idempotencyKey') : null,
    });
  }

  @Mutation()
  async cancelBatch(
    @Args('id') id: string,
    @Context() { identity }: RequestContext,
  ): Promise<BatchJob | null> {
    await this.jobs.cancel(identity.tenantId, checkText(id, 'id'));
    return this.jobs.find(identity.tenantId, id);
  }

  @Mutation()
  async resumeBatch(
    @Args('id') id: string,
    @Context() { identity }: RequestContext,
  ): Promise<BatchJob | null> {
    await this.jobs.resume(identity.tenantId, checkText(id, 'id'));
    return this.jobs.find(identity.tenantId, id);
  }

  @ResolveField()
  progress(@Parent() job: BatchJob): number {
    return progressOf(job);
  }

  @ResolveField()
  etaSeconds(@Parent() job: BatchJob): number | null {
    return etaSecondsOf(job);
  }

  @ResolveField()
  customersPerSecond(@Parent() job: BatchJob): number | null {
    return rateOf(job);
  }

  @ResolveField()
  failed(@Parent() job: BatchJob): number {
    return processedOf(job) - job.scored;
  }

  @ResolveField()
  failures(@Parent() { failures }: BatchJob): { code: string; customers: number }[] {
    return Object.entries(failures)
      .map(([code, customers]) => ({ code, customers }))
      .toSorted((a, b) => b.customers - a.customers);
  }

  @ResolveField()
  async modelVersion(
    @Parent() { modelVersionId }: BatchJob,
    @Context() context: RequestContext,
  ): Promise<ModelVersion | null> {
    return modelVersionId === null ? null : this.loaders.of(context).versions.load(modelVersionId);
  }
}
