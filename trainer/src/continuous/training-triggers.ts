import type { ModelPolicy } from '@sextant/model-registry';
import type { Finding, FindingKind, MonitoringReport } from '@sextant/monitoring';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
/** A pause doubles with each failure in a row, up to a day. */
const MOST_DOUBLINGS = 5;
/** With less left, a training could hardly end within its budget. */
const LEAST_MINUTES = 1;

/** Why a model is trained again by itself, the most urgent first. */
export type Trigger = 'PERFORMANCE' | 'DRIFT' | 'VOLUME' | 'SCHEDULE';

/** What a new fit on newer events can put right. */
const REPAIRED_BY_TRAINING: Record<'onDrift' | 'onPerformance', readonly FindingKind[]> = {
  onDrift: ['FEATURE_SHIFT', 'SCORE_SHIFT', 'LABEL_SHIFT'],
  onPerformance: ['PERFORMANCE', 'LABEL_SHIFT'],
};
/** A feature that no longer comes is a fault of the data: a model fitted on it would only learn the fault. */
const FAULTS_OF_DATA: readonly FindingKind[] = ['FEATURE_MISSING', 'FEATURE_STALE'];

/** The newest training job of the task, whoever asked for it. */
export interface LatestJob {
  createdAt: Date;
  /** null while it waits or runs */
  finishedAt: Date | null;
}

/** What is known of one tenant's task when its policy is looked at. */
export interface TrainingState {
  live: { version: number; trainedAt: Date } | null;
  latestJob: LatestJob | null;
  /** jobs of the task that failed since one succeeded */
  failedInARow: number;
  /** of the live version, newest window first */
  reports: readonly Pick<MonitoringReport, 'version' | 'window' | 'findings' | 'createdAt'>[];
  /** of the tenant since {@link trainingBase}; may stop counting at the policy's number */
  newEvents: number;
  /** of all the tenant's tasks in the last 24 hours */
  usedMinutes: number;
}

export interface WantedTraining {
  trigger: Trigger;
  /** the same trigger in the same window asks under the same key */
  key: string;
  /** one English sentence, kept with the job */
  reason: string;
  /** what the tenant's budget still allows; null: the usual */
  maxMinutes: number | null;
  /** window whose report asked for it */
  report: Pick<MonitoringReport, 'version' | 'window'> | null;
}

/** A training that is due and waits, and for what. */
export interface HeldTraining {
  trigger: Trigger;
  heldBy: 'job' | 'data' | 'cooldown' | 'budget';
  because: string;
}

export type TriggerAnswer = { wanted: WantedTraining } | { held: HeldTraining } | null;

type Due = Omit<WantedTraining, 'maxMinutes'> & { fault: Finding | null };

/**
 * Whether a policy asks for a training now. The same state and time give the same answer, so that two trainers that ask at once ask for the
 * same job.
 *
 * @param cooldownMs  least pause between the end of one training and the next that nobody asked for
 * @returns null where nothing is due
 */
export function trainingDue(
  now: Date,
  policy: ModelPolicy,
  state: TrainingState,
  cooldownMs: number,
): TriggerAnswer {
  const due = dueTraining(now, policy, state);
  if (!due) return null;
  const { fault, ...wanted } = due;
  const held = (heldBy: HeldTraining['heldBy'], because: string): TriggerAnswer => ({
    held: { trigger: due.trigger, heldBy, because },
  });
  const { latestJob, usedMinutes } = state;
  if (latestJob && latestJob.finishedAt === null) return held('job', 'a training of this task is on its way');
  if (fault) return held('data', `repair the data first: ${fault.sentence}`);
  const until = endOfPause(state, cooldownMs);
  if (until > now.getTime())
    return held('cooldown', `the pause after the last one ends at ${new Date(until).toISOString()}`);
  const limit = policy.computeMinutesPerDay;
  if (limit !== null && limit - usedMinutes < LEAST_MINUTES) {
    const used = usedMinutes.toFixed(1);
    return held('budget', `${used} of ${limit} training minutes of the last 24 hours are used`);
  }
  return { wanted: { ...wanted, maxMinutes: limit === null ? null : limit - usedMinutes } };
}

/** Since when events count as new: the later of the live version's training and the newest job; null before any. */
export function trainingBase({ live, latestJob }: Pick<TrainingState, 'live' | 'latestJob'>): Date | null {
  const times = [live?.trainedAt, latestJob?.createdAt].flatMap((at) => (at ? [at.getTime()] : []));
  return times.length === 0 ? null : new Date(Math.max(...times));
}

function dueTraining(now: Date, policy: ModelPolicy, state: TrainingState): Due | null {
  return (
    dueByReport('PERFORMANCE', policy, state) ??
    dueByReport('DRIFT', policy, state) ??
    dueByVolume(policy, state) ??
    dueBySchedule(now, policy, state)
  );
}

function dueByReport(
  trigger: 'PERFORMANCE' | 'DRIFT',
  { task, retrain }: ModelPolicy,
  { live, latestJob, reports }: TrainingState,
): Due | null {
  const wish = trigger === 'DRIFT' ? 'onDrift' : 'onPerformance';
  const [report] = reports;
  if (!retrain[wish] || !live || report?.version !== live.version) return null;
  // A training that began after a report has answered it, whatever came of it: the next window asks anew.
  if (latestJob && latestJob.createdAt >= report.createdAt) return null;
  const finding = report.findings.find(({ kind }) => REPAIRED_BY_TRAINING[wish].includes(kind));
  if (!finding) return null;
  const { window, version, findings } = report;
  return {
    trigger,
    key: `continuous/${task}/${trigger}/${version}/${window.to.toISOString()}`,
    reason: `${trigger}: ${finding.sentence} (version ${version}, window to ${window.to.toISOString()})`,
    report: { version, window },
    fault: findings.find(({ kind }) => FAULTS_OF_DATA.includes(kind)) ?? null,
  };
}

function dueByVolume({ task, retrain }: ModelPolicy, state: TrainingState): Due | null {
  const wanted = retrain.onNewEvents;
  const base = trainingBase(state);
  if (wanted === null || base === null || state.newEvents < wanted) return null;
  return {
    trigger: 'VOLUME',
    key: `continuous/${task}/VOLUME/${base.toISOString()}`,
    reason: `VOLUME: ${wanted} events or more came since ${base.toISOString()}`,
    report: null,
    fault: null,
  };
}

function dueBySchedule(now: Date, { task, retrain }: ModelPolicy, state: TrainingState): Due | null {
  const { everyHours } = retrain;
  if (everyHours === null) return null;
  const period = everyHours * HOUR_MS;
  const base = trainingBase(state);
  if (base !== null && now.getTime() - base.getTime() < period) return null;
  const last = base === null ? 'it was never trained' : `the last training began at ${base.toISOString()}`;
  return {
    trigger: 'SCHEDULE',
    key: `continuous/${task}/SCHEDULE/${everyHours}h/${base?.toISOString() ?? 'first'}/${Math.floor(now.getTime() / period)}`,
    reason: `SCHEDULE: every ${everyHours} hours; ${last}`,
    report: null,
    fault: null,
  };
}

function endOfPause({ latestJob, failedInARow }: TrainingState, cooldownMs: number): number {
  if (!latestJob?.finishedAt) return Number.NEGATIVE_INFINITY;
  const pause = Math.min(
    Math.max(cooldownMs, DAY_MS),
    cooldownMs * 2 ** Math.min(failedInARow, MOST_DOUBLINGS),
  );
  return latestJob.finishedAt.getTime() + pause;
}
