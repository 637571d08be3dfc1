import { DomainError } from '@sextant/domain';
import { type RequestContext, withUserErrors } from '@sextant/platform';
import { Args, Context, Mutation, Resolver } from '@nestjs/graphql';
import { BatchJobResolver } from '../batch/batch-job.resolver.js';
import { LifecycleResolver } from '../model/lifecycle.resolver.js';
import { TrainingJobResolver } from '../model/training-job.resolver.js';
import { ModelPolicyResolver } from '../policy/model-policy.resolver.js';

type First<Method extends (...args: never[]) => unknown> = Parameters<Method>[0];
interface JobInput {
  id: string;
}
interface ModelChangeInput {
  modelId: string;
  reason: string;
}

/**
 * The mutations of models and jobs as payloads: what a person can put right is in `userErrors`, and errors are for the rest.
 * They do what the mutations do that answered with the object itself.
 */
@Resolver()
export class PayloadResolver {
  constructor(
    private readonly trainings: TrainingJobResolver,
    private readonly batches: BatchJobResolver,
    private readonly lifecycle: LifecycleResolver,
    private readonly policies: ModelPolicyResolver,
  ) {}

  @Mutation()
  startTraining(
    @Args('input') input: First<TrainingJobResolver['trainModel']>,
    @Context() context: RequestContext,
  ) {
    return withUserErrors('job', () => this.trainings.trainModel(input, context));
  }

  @Mutation()
  stopTraining(@Args('input') { id }: JobInput, @Context() context: RequestContext) {
    return withUserErrors('job', async () => known(await this.lifecycle.cancelTraining(id, context), id));
  }

  @Mutation()
  startScoring(
    @Args('input') input: First<BatchJobResolver['scoreCustomers']>,
    @Context() context: RequestContext,
  ) {
    return withUserErrors('job', () => this.batches.scoreCustomers(input, context));
  }

  @Mutation()
  stopScoring(@Args('input') { id }: JobInput, @Context() context: RequestContext) {
    return withUserErrors('job', async () => known(await this.batches.cancelBatch(id, context), id));
  }

  @Mutation()
  resumeScoring(@Args('input') { id }: JobInput, @Context() context: RequestContext) {
    return withUserErrors('job', async () => known(await this.batches.resumeBatch(id, context), id));
  }

  @Mutation()
  moveModel(
    @Args('input') input: First<LifecycleResolver['promoteModel']>,
    @Context() context: RequestContext,
  ) {
    return withUserErrors('move', async () => this.lifecycle.promoteModel(input, context));
  }

  @Mutation()
  restoreModel(@Args('input') { modelId, reason }: ModelChangeInput, @Context() context: RequestContext) {
    return withUserErrors('version', async () => this.lifecycle.rollbackModel(modelId, reason, context));
  }

  @Mutation()
  withdrawModel(@Args('input') { modelId, reason }: ModelChangeInput, @Context() context: RequestContext) {
    return withUserErrors('versions', async () => this.lifecycle.retireModel(modelId, reason, context));
  }

  @Mutation()
  changeModelPolicy(
    @Args('input')
    { task, policy }: { task: string; policy: Parameters<ModelPolicyResolver['setModelPolicy']>[1] },
    @Context() context: RequestContext,
  ) {
    return withUserErrors('policy', async () => this.policies.setModelPolicy(task, policy, context));
  }
}

function known<Job>(job: Job | null, id: string): Job {
  if (job !== null) return job;
  throw new DomainError('JOB_NOT_FOUND', `there is no job "${id}"`, { path: 'id' });
}
