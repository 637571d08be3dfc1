import type { Task } from '@sextant/artefacts';
import { checkPageSize } from '@sextant/domain';
import type { RequestContext } from '@sextant/platform';
import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { isTask } from '../model/task.js';
import { driftWindowMs } from './drift-window.js';
import { DriftService, type ShownReport } from './drift.service.js';

const MAX_REPORTS = 100;

@Resolver('Model')
export class DriftResolver {
  constructor(private readonly drifts: DriftService) {}

  @ResolveField()
  drift(
    @Parent() { task }: { task: Task },
    @Args('window') window: string | null,
    @Context() { identity }: RequestContext,
  ): Promise<ShownReport> {
    return this.drifts.latest(identity.tenantId, task, driftWindowMs(window ?? '24h'));
  }

  @Query()
  async monitoringReports(
    @Args('model') model: string,
    @Args('first') first: number | null,
    @Context() { identity }: RequestContext,
  ): Promise<ShownReport[]> {
    const size = checkPageSize(first ?? 20, MAX_REPORTS);
    return isTask(model) ? this.drifts.list(identity.tenantId, model, size) : [];
  }
}
