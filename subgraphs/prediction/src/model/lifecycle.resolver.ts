import { modelName } from '@sextant/artefacts';
import {
  type FairnessSlice,
  type Gate,
  type ModelOrigin,
  type ModelVersion,
  ModelVersions,
  type Stage,
  type StageChange,
  type TrainingJob,
  TrainingJobs,
} from '@sextant/model-registry';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Mutation, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { ModelReference } from '../decision/decision.js';
import { checkText } from '../input-checks.js';
import { LoaderRegistry } from '../request-loaders.js';
import { ModelStore } from './model-store.js';
import { checkTask } from './task.js';

const MAX_REASON_CHARACTERS = 500;
const MOST_IMPORTANT = 200;

/** The mutations that change which version answers. */
@Resolver()
export class LifecycleResolver {
  constructor(
    private readonly store: ModelStore,
    private readonly jobs: TrainingJobs,
  ) {}

  @Mutation()
  promoteModel(
    @Args() args: { versionId: string; to: Stage; share?: number | null; override?: string | null },
    @Context() { identity }: RequestContext,
  ): Promise<{ version: ModelVersion; blockedBy: Gate[] }> {
    const { versionId, to, share = null, override = null } = args;
    return this.store.lifecycle.promote({
      tenantId: identity.tenantId,
      versionId: checkText(versionId, 'versionId'),
      ...{ to, share, override },
      by: identity.subject,
    });
  }

  @Mutation()
  rollbackModel(
    @Args('modelId') modelId: string,
    @Args('reason') reason: string,
    @Context() context: RequestContext,
  ): Promise<ModelVersion> {
    return this.store.lifecycle.rollback(reasoned(modelId, reason, context));
  }

  @Mutation()
  retireModel(
    @Args('modelId') modelId: string,
    @Args('reason') reason: string,
    @Context() context: RequestContext,
  ): Promise<ModelVersion[]> {
    return this.store.lifecycle.retire(reasoned(modelId, reason, context));
  }

  @Mutation()
  async cancelTraining(
    @Args('id') id: string,
    @Context() { identity }: RequestContext,
  ): Promise<TrainingJob | null> {
    await this.jobs.cancel(identity.tenantId, checkText(id, 'id'));
    return this.jobs.find(identity.tenantId, id);
  }
}

@Resolver('Model')
export class ChallengerResolver {
  constructor(private readonly versions: ModelVersions) {}

  @ResolveField()
  async challenger(
    @Parent() { task }: { task: string },
    @Context() { identity }: RequestContext,
  ): Promise<ModelVersion | null> {
    const name = modelName(identity.tenantId, checkTask(task));
    const serving = await this.versions.listServing(identity.tenantId, name);
    const inStage = (wanted: Stage) => serving.find(({ stage }) => stage === wanted);
    return inStage('CANARY') ?? inStage('SHADOW') ?? null;
  }
}

/** What the registry knows of a version beside its card. */
@Resolver('ModelVersion')
export class VersionRecordResolver {
  constructor(private readonly loaders: LoaderRegistry) {}

  @ResolveField()
  async origin(
    @Parent() version: ModelReference,
    @Context() context: RequestContext,
  ): Promise<ModelOrigin | null> {
    return (await this.recorded(version, context))?.origin ?? null;
  }

  @ResolveField()
  async share(@Parent() version: ModelReference, @Context() context: RequestContext): Promise<number | null> {
    return (await this.recorded(version, context))?.share ?? null;
  }

  @ResolveField()
  async gates(@Parent() version: ModelReference, @Context() context: RequestContext): Promise<Gate[]> {
    return (await this.recorded(version, context))?.gates ?? [];
  }

  @ResolveField()
  async history(
    @Parent() version: ModelReference,
    @Context() context: RequestContext,
  ): Promise<StageChange[]> {
    return (await this.recorded(version, context))?.history ?? [];
  }

  @ResolveField()
  async importance(@Parent() version: ModelReference, @Context() context: RequestContext) {
    const { importance = {} } = (await this.recorded(version, context)) ?? {};
    return Object.entries(importance)
      .map(([feature, share]) => ({ feature, share }))
      .sort((a, b) => b.share - a.share)
      .slice(0, MOST_IMPORTANT);
  }

  @ResolveField()
  async fairness(
    @Parent() version: ModelReference,
    @Context() context: RequestContext,
  ): Promise<FairnessSlice[]> {
    return (await this.recorded(version, context))?.fairness ?? [];
  }

  /** A version that a mutation has just changed comes with its record; the loader may hold one of before. */
  private async recorded(
    version: ModelReference | ModelVersion,
    context: RequestContext,
  ): Promise<ModelVersion | null> {
    return 'history' in version ? version : this.loaders.of(context).versions.load(version.id);
  }
}

function reasoned(modelId: string, reason: string, { identity }: RequestContext) {
  const { tenantId, subject: by } = identity;
  const model = modelName(tenantId, checkTask(modelId, 'modelId'));
  return { tenantId, model, reason: checkText(reason, 'reason', MAX_REASON_CHARACTERS), by };
}
