import { modelName } from '@sextant/artefacts';
import { type Clock, DomainError } from '@sextant/domain';
import {
  DEFAULT_MAX_MINUTES,
  type ModelPolicy,
  type ModelVersion,
  type ModelVersions,
  type TrainingHistory,
  type TrainingJobs,
} from '@sextant/model-registry';
import type { ReportRepository } from '@sextant/monitoring';
import type { Logger } from 'pino';
import type { TrainerMetrics } from '../trainer-metrics.js';
import type { ContinuousStates } from './continuous-states.repository.js';
import type { EventVolume } from './event-volume.js';
import { trainingBase, trainingDue, type TrainingState, type WantedTraining } from './training-triggers.js';

export interface RetrainingParts {
  versions: Pick<ModelVersions, 'findLive'>;
  jobs: Pick<TrainingJobs, 'enqueue'>;
  history: TrainingHistory;
  reports: ReportRepository;
  events: EventVolume;
  states: ContinuousStates;
  metrics: TrainerMetrics;
  logger: Logger;
  clock: Clock;
  /** least pause between two trainings of a task that nobody asked for */
  cooldownMs: number;
}

/** Asks for trainings as policies want them: at most one job a trigger and window, whoever asks and however often. */
export class Retraining {
  constructor(private readonly parts: RetrainingParts) {}

  async follow(policy: ModelPolicy): Promise<void> {
    const { clock, cooldownMs, states } = this.parts;
    const { tenantId, task } = policy;
    const model = modelName(tenantId, task);
    const live = await this.parts.versions.findLive(tenantId, model);
    const state = await this.stateOf(policy, live);
    const answer = trainingDue(clock.now(), policy, state, cooldownMs);
    if (answer && 'wanted' in answer) await this.ask(policy, answer.wanted);
    const held = answer && 'held' in answer ? answer.held : null;
    const before = (await states.find(tenantId, model)).held;
    if (before?.trigger === held?.trigger && before?.heldBy === held?.heldBy) return;
    await states.change({ tenantId, model }, { held: held && { ...held, since: clock.now() } });
    if (held) this.parts.logger.info({ tenantId, task, ...held }, 'a training is due and waits');
  }

  private async stateOf(policy: ModelPolicy, live: ModelVersion | null): Promise<TrainingState> {
    const { tenantId, task, retrain, computeMinutesPerDay } = policy;
    const { history, reports, events, metrics, clock } = this.parts;
    const model = modelName(tenantId, task);
    const { job, failedInARow } = await history.latest(tenantId, task);
    const base = trainingBase({ live, latestJob: job });
    const hears = retrain.onDrift || retrain.onPerformance;
    const found =
      live && hears ? await reports.list({ tenantId, model }, { first: 1, version: live.version }) : [];
    const newEvents =
      retrain.onNewEvents === null || !base ? 0 : await events.since({ tenantId, model }, base);
    const usedMinutes = computeMinutesPerDay === null ? 0 : await history.usedMinutes(tenantId, clock.now());
    if (computeMinutesPerDay !== null) metrics.budgetUsed.set({ tenant: tenantId }, usedMinutes);
    return { live, latestJob: job, failedInARow, reports: found, newEvents, usedMinutes };
  }

  private async ask({ tenantId, task }: ModelPolicy, wanted: WantedTraining): Promise<void> {
    const { jobs, reports, metrics, logger } = this.parts;
    const { key, reason, trigger, maxMinutes, report } = wanted;
    try {
      const job = await jobs.enqueue({
        tenantId,
        task,
        idempotencyKey: key,
        notes: reason.slice(0, 500),
        maxMinutes: Math.max(1, Math.floor(Math.min(DEFAULT_MAX_MINUTES, maxMinutes ?? DEFAULT_MAX_MINUTES))),
      });
      if (report) {
        const model = modelName(tenantId, task);
        await reports.setRetrainJob({ tenantId, model, ...report }, job.id);
      }
      if (job.state !== 'QUEUED') return;
      metrics.trainings.inc({ trigger });
      logger.info({ tenantId, task, job: job.id, reason }, 'a policy asked for a training');
    } catch (error) {
      // Another trainer asked under this key, in other words: the job is there.
      if (!(error instanceof DomainError) || error.code !== 'IDEMPOTENCY_CONFLICT') throw error;
    }
  }
}
