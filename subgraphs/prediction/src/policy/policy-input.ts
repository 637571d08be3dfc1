import type { Task } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  defaultPolicy,
  type ModelPolicy,
  type PlaybookEntry,
  type RetrainPolicy,
  type RolloutPolicy,
} from '@sextant/model-registry';
import { checkInteger, checkText } from '../input-checks.js';
import { BANDS_OF_TASK } from '../score/playbook.js';

export interface ModelPolicyInput {
  protectedTraits?: string[] | null;
  retrain?: Partial<RetrainPolicy> | null;
  rollout?: Partial<RolloutPolicy> | null;
  computeMinutesPerDay?: number | null;
  retireUnreadDays?: number | null;
  playbooks?: (PlaybookEntry & { band: string })[] | null;
}

export type PolicyChanges = Partial<Omit<ModelPolicy, 'tenantId' | 'task'>>;

const MAX_TRAITS = 50;
const MAX_ACTION_CHARACTERS = 200;
const MAX_OWNER_CHARACTERS = 64;
const HOURS = { min: 1, max: 8_760 } as const;
const NEW_EVENTS = { min: 100, max: 1_000_000_000 } as const;
const STAGE_MINUTES = { min: 0, max: 43_200 } as const;
const COMPUTE_MINUTES = { min: 1, max: 1_440 } as const;
const UNREAD_DAYS = { min: 1, max: 3_650 } as const;
const MAX_SHADOW_SHARE = 1;
const MAX_CANARY_SHARE = 0.5;
const DURATION = /^P(?=\d|T\d)(\d{1,4}D)?(T(?=\d)(\d{1,4}H)?(\d{1,4}M)?)?$/;

/** What a caller wants changed of a policy, checked. @throws DomainError INVALID_INPUT naming the field */
export function policyChanges(task: Task, input: ModelPolicyInput): PolicyChanges {
  const defaults = defaultPolicy('', task);
  const changes: PolicyChanges = {};
  const { protectedTraits, retrain, rollout, computeMinutesPerDay, retireUnreadDays, playbooks } = input;
  if (protectedTraits !== undefined) changes.protectedTraits = traitsOf(protectedTraits ?? []);
  if (retrain !== undefined) changes.retrain = retrain ? retrainOf(retrain) : defaults.retrain;
  if (rollout !== undefined)
    changes.rollout = rollout ? rolloutOf(rollout, defaults.rollout) : defaults.rollout;
  if (computeMinutesPerDay !== undefined) {
    const path = 'input.computeMinutesPerDay';
    changes.computeMinutesPerDay = integerOrNull(computeMinutesPerDay, path, COMPUTE_MINUTES);
  }
  if (retireUnreadDays !== undefined) {
    changes.retireUnreadDays = integerOrNull(retireUnreadDays, 'input.retireUnreadDays', UNREAD_DAYS);
  }
  if (playbooks !== undefined) changes.playbooks = playbooks && playbooksOf(task, playbooks);
  return changes;
}

function traitsOf(traits: readonly string[]): string[] {
  if (traits.length > MAX_TRAITS) {
    throw invalid('input.protectedTraits', `may hold ${MAX_TRAITS} traits, got ${traits.length}`);
  }
  return [...new Set(traits.map((trait, i) => checkText(trait, `input.protectedTraits.${i}`)))];
}

function retrainOf({
  everyHours,
  onDrift,
  onPerformance,
  onNewEvents,
}: Partial<RetrainPolicy>): RetrainPolicy {
  return {
    everyHours: integerOrNull(everyHours ?? null, 'input.retrain.everyHours', HOURS),
    onDrift: onDrift ?? false,
    onPerformance: onPerformance ?? false,
    onNewEvents: integerOrNull(onNewEvents ?? null, 'input.retrain.onNewEvents', NEW_EVENTS),
  };
}

function rolloutOf(input: Partial<RolloutPolicy>, defaults: RolloutPolicy): RolloutPolicy {
  const minutes = (name: 'shadowMinutes' | 'canaryMinutes'): number =>
    checkInteger(input[name] ?? defaults[name], `input.rollout.${name}`, STAGE_MINUTES);
  const share = (name: 'shadowShare' | 'canaryShare', most: number): number => {
    const value = input[name] ?? defaults[name];
    if (value > 0 && value <= most) return value;
    throw invalid(`input.rollout.${name}`, `must be above 0 and at most ${most}, got ${value}`);
  };
  return {
    mode: input.mode ?? defaults.mode,
    shadowMinutes: minutes('shadowMinutes'),
    shadowShare: share('shadowShare', MAX_SHADOW_SHARE),
    canaryMinutes: minutes('canaryMinutes'),
    canaryShare: share('canaryShare', MAX_CANARY_SHARE),
  };
}

function playbooksOf(
  task: Task,
  entries: readonly (PlaybookEntry & { band: string })[],
): Record<string, PlaybookEntry> {
  const bands = BANDS_OF_TASK[task];
  if (bands === undefined) {
    throw invalid(
      'input.playbooks',
      `are of scores (${Object.keys(BANDS_OF_TASK).join(', ')}), not of ${task}`,
    );
  }
  const playbooks: Record<string, PlaybookEntry> = {};
  for (const [i, { band, action, owner, dueWithin }] of entries.entries()) {
    const path = `input.playbooks.${i}`;
    if (!bands.some((known) => known === band)) {
      throw invalid(`${path}.band`, `must be ${bands.join(', ')} for ${task}, got ${band}`);
    }
    if (band in playbooks) throw invalid(`${path}.band`, `names ${band} twice`);
    if (dueWithin != null && !DURATION.test(dueWithin)) {
      const wanted = 'must be an ISO 8601 duration of days, hours and minutes such as P2D or PT4H';
      throw invalid(`${path}.dueWithin`, `${wanted}, got "${dueWithin.slice(0, 40)}"`);
    }
    playbooks[band] = {
      action: checkText(action, `${path}.action`, MAX_ACTION_CHARACTERS),
      owner: checkText(owner, `${path}.owner`, MAX_OWNER_CHARACTERS),
      dueWithin: dueWithin ?? null,
    };
  }
  return playbooks;
}

function integerOrNull(
  value: number | null,
  path: string,
  bounds: { min: number; max: number },
): number | null {
  return value === null ? null : checkInteger(value, path, bounds);
}

function invalid(path: string, message: string): DomainError {
  return new DomainError('INVALID_INPUT', `${path} ${message}`, { path });
}
