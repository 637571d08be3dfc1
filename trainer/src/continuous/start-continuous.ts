import type { ModelRepository } from '@sextant/artefacts';
import { DecisionRepository, KnownOutcomes } from '@sextant/decision-log';
import { type Clock, systemClock } from '@sextant/domain';
import { EventHistory } from '@sextant/features';
import { createDecisionsClient } from '@sextant/inference-protocol';
import {
  Challenges,
  ModelLifecycle,
  type ModelVersions,
  TrainingHistory,
  type TrainingJobs,
} from '@sextant/model-registry';
import { ReportRepository, TrafficRepository } from '@sextant/monitoring';
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import type { TrainerConfig } from '../config.js';
import { StoreLease } from '../store-lease.js';
import type { TrainerMetrics } from '../trainer-metrics.js';
import { ChampionChallenger } from './champion-challenger.js';
import { ContinuousStates } from './continuous-states.repository.js';
import { ContinuousTraining } from './continuous-training.js';
import { EventVolume } from './event-volume.js';
import { Retention } from './retention.js';
import { Retraining } from './retraining.js';
import { Rollout } from './rollout.js';

const MINUTE_MS = 60_000;
/** A round that takes longer than this lets another trainer in; what is done bears being done twice. */
const LEASE_MS = 30_000;

export interface ContinuousSurroundings {
  db: Db;
  repository: ModelRepository;
  versions: ModelVersions;
  jobs: TrainingJobs;
  metrics: TrainerMetrics;
  config: Pick<
    TrainerConfig,
    'INFERENCE_URL' | 'CONTINUOUS_ROUND_MS' | 'CONTINUOUS_COOLDOWN_MINUTES' | 'MODEL_KEEP_DAYS'
  >;
  logger: Logger;
  clock?: Clock;
}

/** Continuous training over the trainer's own store and repository; it looks at nothing before it runs. */
export async function continuousTraining(surroundings: ContinuousSurroundings): Promise<ContinuousTraining> {
  const { db, repository, versions, jobs, metrics, config, logger, clock = systemClock } = surroundings;
  const outcomes = new KnownOutcomes(db);
  const decisions = new DecisionRepository(db);
  const [traffic, reports] = [new TrafficRepository(db), new ReportRepository(db)];
  await Promise.all([outcomes, decisions, traffic, reports].map((each) => each.ensureIndexes()));
  const workers = createDecisionsClient({ address: config.INFERENCE_URL });
  const champion = new ChampionChallenger(outcomes, workers);
  const states = new ContinuousStates(db);
  const lifecycle = new ModelLifecycle(repository, versions, clock);
  const shared = { versions, lifecycle, traffic, states, metrics, logger, clock };
  const keepDays = config.MODEL_KEEP_DAYS;
  const cooldownMs = config.CONTINUOUS_COOLDOWN_MINUTES * MINUTE_MS;
  const events = new EventVolume(new EventHistory(db), states, clock);
  const history = new TrainingHistory(db);
  return new ContinuousTraining(
    {
      lease: new StoreLease(db, 'continuous-training', LEASE_MS, clock),
      policies: versions.policies,
      versions,
      rollout: new Rollout({ ...shared, champion, challenges: new Challenges(db) }),
      retraining: new Retraining({ ...shared, jobs, history, reports, events, cooldownMs }),
      retention: new Retention({ ...shared, repository, decisions, keepDays }),
      champion,
      workers,
      metrics,
      logger,
    },
    config.CONTINUOUS_ROUND_MS,
  );
}
