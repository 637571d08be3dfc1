import { setTimeout as sleep } from 'node:timers/promises';
import type { Task } from '@sextant/artefacts';
import type { DecisionsClient } from '@sextant/inference-protocol';
import type { ModelPolicies, ModelPolicy, ModelVersions } from '@sextant/model-registry';
import type { Logger } from 'pino';
import type { StoreLease } from '../store-lease.js';
import type { TrainerMetrics } from '../trainer-metrics.js';
import type { ChampionChallenger } from './champion-challenger.js';
import type { Retention } from './retention.js';
import type { Retraining } from './retraining.js';
import type { Rollout } from './rollout.js';

const HOUR_MS = 60 * 60_000;
/** Triggers look at queues and reports, the guard at traffic: the guard every round, the triggers every so many. */
const ROUNDS_A_TRIGGER = 3;

export interface ContinuousParts {
  lease: StoreLease;
  policies: ModelPolicies;
  versions: Pick<ModelVersions, 'listUnsettled'>;
  rollout: Rollout;
  retraining: Retraining;
  retention: Retention;
  champion: Pick<ChampionChallenger, 'forgetOthers'>;
  workers: Pick<DecisionsClient, 'close'>;
  metrics: TrainerMetrics;
  logger: Logger;
}

/** Follows the policies of all tenants, in one trainer of many: whoever holds the lease. */
export class ContinuousTraining {
  private readonly stopping = new AbortController();
  private rounds = 0;
  private retainedMs = Number.NEGATIVE_INFINITY;

  /** @param roundMs  pause between two looks */
  constructor(
    private readonly parts: ContinuousParts,
    private readonly roundMs: number,
  ) {}

  /** Works until {@link stop}; what fails is told and tried again with the next round. */
  async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      await this.round();
      await sleep(this.roundMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
    await this.parts.lease.release().catch(() => undefined);
    await this.parts.workers.close();
  }

  stop(): void {
    this.stopping.abort();
  }

  /** One look. @returns false where another trainer follows the policies */
  async round(): Promise<boolean> {
    const { lease, metrics, logger } = this.parts;
    try {
      const isLeader = await lease.hold();
      metrics.leader.set(isLeader ? 1 : 0);
      if (!isLeader) return false;
      const isWhole = await this.look();
      metrics.roundEnded(isWhole ? 'ok' : 'failed');
      return true;
    } catch (error) {
      metrics.leader.set(0);
      metrics.roundEnded('failed');
      logger.error({ err: error }, 'policies could not be followed');
      return false;
    }
  }

  private async look(): Promise<boolean> {
    const { policies, versions, rollout, retraining, retention, champion } = this.parts;
    const set = await policies.listAll();
    const unsettled = await versions.listUnsettled();
    let isWhole = true;
    const each = async (
      whose: readonly ModelPolicy[],
      follow: (policy: ModelPolicy) => Promise<void>,
    ): Promise<void> => {
      for (const policy of whose) {
        if (this.stopping.signal.aborted) return;
        await follow(policy).catch((error: unknown) => {
          isWhole = false;
          this.failed(policy, error);
        });
      }
    };
    const ofUnsettled = await this.policiesOf(unsettled);
    const challengers = new Set<string>();
    await each(ofUnsettled, async (policy) => {
      for (const id of await rollout.follow(policy)) challengers.add(id);
    });
    champion.forgetOthers(challengers);
    if (this.rounds % ROUNDS_A_TRIGGER === 0) await each(set, (policy) => retraining.follow(policy));
    this.rounds += 1;
    if (performance.now() - this.retainedMs >= HOUR_MS) {
      this.retainedMs = performance.now();
      const models = await retention.listModels();
      await each(await this.policiesOf(models), (policy) => retention.follow(policy));
    }
    return isWhole;
  }

  private policiesOf(models: readonly { tenantId: string; task: Task }[]): Promise<ModelPolicy[]> {
    return Promise.all(models.map(({ tenantId, task }) => this.parts.policies.find(tenantId, task)));
  }

  private failed({ tenantId, task }: ModelPolicy, error: unknown): void {
    this.parts.logger.error({ err: error, tenantId, task }, 'the policy of a model could not be followed');
  }
}
