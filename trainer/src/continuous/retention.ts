import { modelName, type ModelRepository, type Task, TASKS } from '@sextant/artefacts';
import type { Clock } from '@sextant/domain';
import type { DecisionRepository } from '@sextant/decision-log';
import type { ModelLifecycle, ModelPolicy, ModelVersion, ModelVersions } from '@sextant/model-registry';
import type { TrafficRepository } from '@sextant/monitoring';
import type { Logger } from 'pino';
import type { TrainerMetrics } from '../trainer-metrics.js';
import type { ContinuousStates } from './continuous-states.repository.js';
import { stageSince } from './rollout.js';
import { isUnread, removableVersions } from './version-retention.js';

/** Versions of a model that the keep rule looks at; older ones wait for their turn. */
const LOOKED_AT = 1_000;

export interface RetentionParts {
  repository: ModelRepository;
  versions: ModelVersions;
  lifecycle: ModelLifecycle;
  decisions: Pick<DecisionRepository, 'lastDecidedAt'>;
  traffic: Pick<TrafficRepository, 'lastCalledAt'>;
  states: ContinuousStates;
  metrics: TrainerMetrics;
  logger: Logger;
  clock: Clock;
  /** how long files stay after their version left service */
  keepDays: number;
}

/** Retires models that nobody reads and removes files that nobody needs any more. */
export class Retention {
  constructor(private readonly parts: RetentionParts) {}

  /** Every model of the repository that was trained or imported here. */
  async listModels(): Promise<{ tenantId: string; task: Task }[]> {
    return (await this.parts.repository.listModels()).flatMap((name) => {
      const [tenantId = '', task, ...rest] = name.split('.');
      const known = TASKS.find((each) => each === task);
      return known && rest.length === 0 ? [{ tenantId, task: known }] : [];
    });
  }

  async follow(policy: ModelPolicy): Promise<void> {
    const { tenantId, task } = policy;
    const model = modelName(tenantId, task);
    const live = await this.parts.versions.findLive(tenantId, model);
    if (live) await this.retireUnread(policy, live);
    await this.removeFiles(tenantId, model);
  }

  private async retireUnread(
    { tenantId, task, retireUnreadDays: days }: ModelPolicy,
    live: ModelVersion,
  ): Promise<void> {
    const { decisions, traffic, states, lifecycle, logger, clock } = this.parts;
    const model = modelName(tenantId, task);
    const { lastReadAt } = await states.find(tenantId, model);
    const seen = [
      lastReadAt,
      await decisions.lastDecidedAt(tenantId, live.id),
      await traffic.lastCalledAt(tenantId, model),
    ];
    const lastRead = newestOf(seen);
    if (lastRead && lastRead.getTime() !== lastReadAt?.getTime())
      await states.change({ tenantId, model }, { lastReadAt: lastRead });
    if (!isUnread(clock.now(), days, { liveSince: stageSince(live), lastRead })) return;
    const reason = `nobody read it for ${days} days; the last time was ${lastRead?.toISOString() ?? 'never'}`;
    await lifecycle.retire({ tenantId, model, reason, by: 'continuous training' });
    logger.info({ tenantId, task, version: live.id, reason }, 'a model that nobody reads was retired');
  }

  private async removeFiles(tenantId: string, model: string): Promise<void> {
    const { repository, versions, metrics, logger, clock, keepDays } = this.parts;
    const { versions: present, live, serving } = await repository.readEntry(model);
    const there = new Set(present);
    const listed = await versions.list(tenantId, model, LOOKED_AT);
    const { formerLive } = await versions.states.read(tenantId, model);
    const back = formerLive.at(-1);
    const pointed = [
      live,
      serving.canary?.version,
      serving.shadow?.version,
      ...Object.values(serving.aliases),
      ...serving.versions,
      listed.find(({ id }) => id === back)?.version,
    ].filter((version) => typeof version === 'number');
    const removable = removableVersions(
      clock.now(),
      listed.filter(({ version }) => there.has(version)).map(asKeptVersion),
      { pointed: new Set(pointed), used: new Set() },
      keepDays,
    );
    for (const version of removable) {
      await repository.removeVersion(model, version);
      metrics.removedVersions.inc();
      logger.info({ tenantId, model, version }, 'the files of a version were removed by the keep rule');
    }
  }
}

function asKeptVersion(of: ModelVersion): Parameters<typeof removableVersions>[1][number] {
  const leftLiveAt = of.history.findLast(({ from }) => from === 'LIVE')?.at ?? null;
  return { version: of.version, stage: of.stage, since: stageSince(of), leftLiveAt };
}

function newestOf(times: readonly (Date | null)[]): Date | null {
  const known = times.flatMap((at) => (at ? [at.getTime()] : []));
  return known.length === 0 ? null : new Date(Math.max(...known));
}
