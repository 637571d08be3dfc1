import { modelName, type Task } from '@sextant/artefacts';
import { checkPageSize } from '@sextant/domain';
import { type ModelVersion, ModelVersions } from '@sextant/model-registry';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { isTask } from './task.js';

const MAX_VERSIONS = 50;

interface Model {
  id: Task;
  task: Task;
}

@Resolver('Model')
export class ModelResolver {
  constructor(private readonly versionsRepository: ModelVersions) {}

  @Query()
  model(@Args('id') id: string): Model | null {
    return isTask(id) ? { id, task: id } : null;
  }

  @ResolveField()
  live(@Parent() model: Model, @Context() { identity }: RequestContext): Promise<ModelVersion | null> {
    return this.versionsRepository.findLive(identity.tenantId, modelName(identity.tenantId, model.task));
  }

  @ResolveField()
  versions(
    @Parent() model: Model,
    @Args('first') first: number | null,
    @Context() { identity }: RequestContext,
  ): Promise<ModelVersion[]> {
    const name = modelName(identity.tenantId, model.task);
    return this.versionsRepository.list(identity.tenantId, name, checkPageSize(first ?? 10, MAX_VERSIONS));
  }
}
