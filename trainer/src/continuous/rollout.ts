import { modelName, type Task } from '@sextant/artefacts';
import { type Clock, DomainError } from '@sextant/domain';
import type {
  Challenges,
  ModelLifecycle,
  ModelPolicy,
  ModelVersion,
  ModelVersions,
} from '@sextant/model-registry';
import { addTraffic, MINUTE_MS, NO_SHADOW, type TrafficRepository } from '@sextant/monitoring';
import type { Logger } from 'pino';
import type { TrainerMetrics } from '../trainer-metrics.js';
import { type ArmTraffic, judgeChallenger, type Judgement } from './challenger-guard.js';
import type { ChampionChallenger } from './champion-challenger.js';
import { nextMove, type RolloutVersion } from './rollout-steps.js';

/** Newest versions looked at: one that is older is on its way nowhere. */
const LOOKED_AT = 10;
const BY = 'continuous training';
/** A comparison that cannot be made now does not keep the other tests from being made. */
const BEARABLE = [
  'INFERENCE_UNAVAILABLE',
  'INFERENCE_DEADLINE_EXCEEDED',
  'QUEUE_FULL',
  'MODEL_VERSION_NOT_FOUND',
  'MODEL_NOT_FOUND',
];

const NO_TRAFFIC: ArmTraffic = {
  calls: 0,
  failures: 0,
  latency: { boundsMs: [], counts: [], sumMs: 0 },
  batches: 0,
  rows: 0,
  computeMs: 0,
  shadow: NO_SHADOW,
};

export interface RolloutParts {
  versions: ModelVersions;
  lifecycle: ModelLifecycle;
  traffic: Pick<TrafficRepository, 'read'>;
  champion: ChampionChallenger;
  challenges: Challenges;
  metrics: TrainerMetrics;
  logger: Logger;
  clock: Clock;
}

/** Brings versions into service step by step as policies want it, and takes challengers out of traffic that do harm there. */
export class Rollout {
  constructor(private readonly parts: RolloutParts) {}

  /** One look at one model. @returns the ids of its challengers */
  async follow(policy: ModelPolicy): Promise<string[]> {
    const { tenantId, task, rollout } = policy;
    const { versions } = this.parts;
    const model = modelName(tenantId, task);
    const serving = await versions.listServing(tenantId, model);
    const live = serving.find(({ stage }) => stage === 'LIVE');
    const challengers = serving.filter(({ stage }) => stage !== 'LIVE');
    const judgements = new Map<string, Judgement>();
    for (const challenger of live ? challengers : []) {
      if (live) judgements.set(challenger.id, await this.judge(live, challenger));
    }
    const known = new Map((await versions.list(tenantId, model, LOOKED_AT)).map((each) => [each.id, each]));
    for (const each of serving) known.set(each.id, each);
    const states = [...known.values()].toSorted((a, b) => b.version - a.version).map(asRolloutVersion);
    const led =
      states.find(({ stage }) => stage === 'CANARY') ?? states.find(({ stage }) => stage === 'SHADOW');
    const judgement = led ? (judgements.get(led.id) ?? null) : null;
    const isStopped = [...judgements.values()].some(({ verdict }) => verdict === 'STOP');
    const move = isStopped ? null : nextMove(this.parts.clock.now(), rollout, states, judgement);
    if (move) await this.move({ tenantId, task }, move);
    return challengers.map(({ id }) => id);
  }

  private async move(
    { tenantId, task }: { tenantId: string; task: Task },
    { id, to, share, reason }: NonNullable<ReturnType<typeof nextMove>>,
  ): Promise<void> {
    const { lifecycle, metrics, logger } = this.parts;
    const { blockedBy } = await lifecycle.promote({ tenantId, versionId: id, to, share, reason, by: BY });
    if (blockedBy.length > 0) return;
    metrics.moves.inc({ stage: to });
    logger.info({ tenantId, task, version: id, stage: to, reason }, 'a version moved on');
  }

  /** Stops the challenger where the guard says so; the verdict is kept either way. */
  private async judge(live: ModelVersion, challenger: ModelVersion): Promise<Judgement> {
    const { lifecycle, challenges, metrics, logger, clock, champion } = this.parts;
    const comparison = await champion.compare({ champion: live, challenger }).catch(bearable);
    const arms = await this.armsOf(live, challenger);
    const stage = challenger.stage === 'SHADOW' ? 'SHADOW' : 'CANARY';
    const judgement = judgeChallenger({ stage, ...arms, invalid: null, comparison });
    const { tenantId, id } = challenger;
    await challenges.save({
      tenantId,
      versionId: id,
      championId: live.id,
      outcomes: comparison,
      judgement: judgement.verdict,
      sentence: judgement.sentence,
      at: clock.now(),
    });
    if (judgement.verdict !== 'STOP') return judgement;
    const { reason, sentence } = judgement;
    const told = `stopped as ${stage}, ${reason}: ${sentence}`.slice(0, 500);
    await lifecycle.stop({ tenantId, versionId: id, reason: told, by: BY });
    metrics.stops.inc({ reason });
    logger.warn({ tenantId, version: id, reason, sentence }, 'a challenger was taken out of traffic');
    return judgement;
  }

  private async armsOf(
    live: ModelVersion,
    challenger: ModelVersion,
  ): Promise<{ live: ArmTraffic; challenger: ArmTraffic }> {
    const { tenantId, model } = challenger;
    const since = stageSince(challenger).getTime();
    const from = new Date(Math.floor(since / MINUTE_MS) * MINUTE_MS);
    const to = new Date(this.parts.clock.now().getTime() + MINUTE_MS);
    const found = await this.parts.traffic.read({ tenantId, model }, { from, to });
    const of = (version: number): ArmTraffic =>
      found
        .filter((each) => each.version === version)
        .reduce<ArmTraffic>(
          (sum, each) => (sum === NO_TRAFFIC ? each : addTraffic({ rejected: 0, ...sum }, each)),
          NO_TRAFFIC,
        );
    return { live: of(live.version), challenger: of(challenger.version) };
  }
}

/** When a version came to the stage in which it is. */
export function stageSince({ history, publishedAt, stage }: ModelVersion): Date {
  return history.findLast(({ to }) => to === stage)?.at ?? publishedAt;
}

function asRolloutVersion(of: ModelVersion): RolloutVersion {
  const { id, version, stage, origin, gates } = of;
  const passedGates = gates.length > 0 && gates.every(({ passed }) => passed);
  return { id, version, stage, since: stageSince(of), isTrained: origin === 'TRAINED', passedGates };
}

function bearable(error: unknown): null {
  if (error instanceof DomainError && BEARABLE.includes(error.code)) return null;
  throw error;
}
