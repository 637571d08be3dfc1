import { checkPageSize, DomainError } from '@sextant/domain';
import { DEFAULT_SEED, type TrainingJob, TrainingJobs } from '@sextant/model-registry';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { ModelReference } from '../decision/decision.js';
import { checkInteger, checkText } from '../input-checks.js';
import { LoaderRegistry } from '../request-loaders.js';
import { checkTask } from './task.js';

const MAX_NOTES_CHARACTERS = 1_000;
const MAX_JOBS = 100;
const MINUTES = { min: 1, max: 600 } as const;
const SEEDS = { min: 0, max: 2 ** 31 - 1 } as const;

interface TrainInput {
  task: string;
  notes?: string | null;
  maxMinutes?: number | null;
  dataFrom?: Date | null;
  dataTo?: Date | null;
  seed?: number | null;
  idempotencyKey?: string | null;
}

@Resolver('TrainingJob')
export class TrainingJobResolver {
  constructor(
    private readonly jobs: TrainingJobs,
    private readonly loaders: LoaderRegistry,
  ) {}

  @Query()
  trainingJob(@Args('id') id: string, @Context() { identity }: RequestContext): Promise<TrainingJob | null> {
    return this.jobs.find(identity.tenantId, checkText(id, 'id'));
  }

  @Query('trainingJobs')
  listTrainingJobs(
    @Args() { first, task }: { first?: number | null; task?: string | null },
    @Context() { identity }: RequestContext,
  ): Promise<TrainingJob[]> {
    const page = checkPageSize(first ?? 20, MAX_JOBS);
    return this.jobs.list(identity.tenantId, page, task == null ? undefined : checkTask(task, 'task'));
  }

  @Mutation()
  async trainModel(
    @Args('input') input: TrainInput,
    @Context() { identity }: RequestContext,
  ): Promise<TrainingJob> {
    const { task, notes, maxMinutes, idempotencyKey, dataFrom = null, dataTo = null, seed } = input;
    checkPeriod(dataFrom, dataTo);
    return this.jobs.enqueue({
      tenantId: identity.tenantId,
      task: checkTask(task),
      notes: notes ? checkText(notes, 'input.notes', MAX_NOTES_CHARACTERS) : null,
      seed: checkInteger(seed ?? DEFAULT_SEED, 'input.seed', SEEDS),
      dataFrom,
      dataTo,
      maxMinutes: checkInteger(maxMinutes ?? 30, 'input.maxMinutes', MINUTES),
      idempotencyKey: idempotencyKey ? checkText(idempotencyKey, 'input.idempotencyKey') : null,
    });
  }

  @ResolveField()
  async modelVersion(
    @Parent() { modelVersionId }: TrainingJob,
    @Context() context: RequestContext,
  ): Promise<ModelReference | null> {
    return modelVersionId === null ? null : this.loaders.of(context).versions.load(modelVersionId);
  }
}

function checkPeriod(from: Date | null, to: Date | null): void {
  if (from === null || to === null || from < to) return;
  throw new DomainError(
    'INVALID_INPUT',
    `dataFrom must be before dataTo, got ${from.toISOString()} and ${to.toISOString()}`,
    { path: 'input.dataFrom' },
  );
}
