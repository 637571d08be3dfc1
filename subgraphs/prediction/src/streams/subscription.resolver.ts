import { modelName } from '@sextant/artefacts';
import type { BatchJob } from '@sextant/batch-scoring';
import { cursorOf, type FeedSubscription, startOf } from '@sextant/change-streams';
import type { Challenge, TrainingJob } from '@sextant/model-registry';
import type { MonitoringReport } from '@sextant/monitoring';
import type { StreamContext } from '@sextant/platform';
import { Args, Context, Parent, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { type ChallengeAnswer, challengeAnswer } from '../challenge/challenge.resolver.js';
import { type DecisionRecord, readableKinds, toRecord } from '../decision/decision.resolver.js';
import { checkText } from '../input-checks.js';
import { checkTask } from '../model/task.js';
import { DriftService, type ShownReport } from '../monitoring/drift.service.js';
import { StreamFeeds } from './stream-feeds.js';

type After = string | null | undefined;
interface Event {
  cursor: string;
}
interface ReportEvent extends Event {
  found: MonitoringReport;
}

/** What a subscription yields is the event itself, not an object with it under the field's name. */
const AS_IT_IS = { resolve: (event: unknown) => event };

/** Subscriptions of the models' part of the graph; each is its tenant's changes of one collection. */
@Resolver('Subscription')
export class SubscriptionResolver {
  constructor(private readonly feeds: StreamFeeds) {}

  @Subscription('trainingProgress', AS_IT_IS)
  trainingProgress(
    @Args() { id, after }: { id?: string | null; after?: After },
    @Context() context: StreamContext,
  ): Promise<FeedSubscription<Event & { job: TrainingJob }>> {
    const wanted = id == null ? null : checkText(id, 'id');
    return this.feeds.trainingJobs.subscribe({
      tenantId: context.identity.tenantId,
      after: startOf(context, after),
      select: ({ document: job, position }) =>
        wanted === null || job.id === wanted ? { cursor: cursorOf(position), job } : null,
    });
  }

  @Subscription('batchProgress', AS_IT_IS)
  batchProgress(
    @Args() { id, after }: { id?: string | null; after?: After },
    @Context() context: StreamContext,
  ): Promise<FeedSubscription<Event & { job: BatchJob }>> {
    const wanted = id == null ? null : checkText(id, 'id');
    return this.feeds.batchJobs.subscribe({
      tenantId: context.identity.tenantId,
      after: startOf(context, after),
      select: ({ document: job, position }) =>
        wanted === null || job.id === wanted ? { cursor: cursorOf(position), job } : null,
    });
  }

  @Subscription('customerDecisions', AS_IT_IS)
  customerDecisions(
    @Args() { customerId, after }: { customerId: string; after?: After },
    @Context() context: StreamContext,
  ): Promise<FeedSubscription<Event & { decision: DecisionRecord; customer: { id: string } }>> {
    const { tenantId, scopes } = context.identity;
    const customer = { id: checkText(customerId, 'customerId') };
    const kinds = readableKinds(scopes);
    return this.feeds.decisions.subscribe({
      tenantId,
      after: startOf(context, after),
      select: ({ document, position }) =>
        document.customerId === customer.id && kinds.includes(document.kind)
          ? { cursor: cursorOf(position), decision: toRecord(document), customer }
          : null,
    });
  }

  @Subscription('driftAlarms', AS_IT_IS)
  driftAlarms(
    @Args() { model, after }: { model?: string | null; after?: After },
    @Context() context: StreamContext,
  ): Promise<FeedSubscription<ReportEvent>> {
    const { tenantId } = context.identity;
    const wanted = model == null ? null : modelName(tenantId, checkTask(model, 'model'));
    return this.feeds.reports.subscribe({
      tenantId,
      after: startOf(context, after),
      select: ({ document: found, position }) =>
        found.findings.length > 0 && (wanted === null || found.model === wanted)
          ? { cursor: cursorOf(position), found }
          : null,
    });
  }

  @Subscription('experimentReadouts', AS_IT_IS)
  experimentReadouts(
    @Args() { version, after }: { version?: string | null; after?: After },
    @Context() context: StreamContext,
  ): Promise<FeedSubscription<Event & { versionId: string; challenge: ChallengeAnswer }>> {
    const wanted = version == null ? null : checkText(version, 'version');
    return this.feeds.challenges.subscribe({
      tenantId: context.identity.tenantId,
      after: startOf(context, after),
      select: ({ document, position }) =>
        wanted === null || document.versionId === wanted ? readoutOf(document, cursorOf(position)) : null,
    });
  }
}

/** The report of an alarm, with the version that it is about. */
@Resolver('DriftAlarm')
export class DriftAlarmResolver {
  constructor(private readonly drifts: DriftService) {}

  @ResolveField()
  report(@Parent() { found }: ReportEvent): Promise<ShownReport> {
    return this.drifts.show(found);
  }
}

function readoutOf(challenge: Challenge, cursor: string) {
  return { cursor, versionId: challenge.versionId, challenge: challengeAnswer(challenge) };
}
