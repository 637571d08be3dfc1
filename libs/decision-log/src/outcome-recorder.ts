import type { Clock } from '@sextant/domain';
import { decidedAtOf } from './decision-id.js';
import type { DecisionRepository } from './decision.repository.js';
import { MAX_REWARD, type Outcome } from './outcome.js';
import type { NewOutcome, OutcomeRepository } from './outcome.repository.js';

export interface RejectedOutcome {
  idempotencyKey: string;
  code: 'INVALID_INPUT' | 'IDEMPOTENCY_CONFLICT';
  message: string;
}

export interface RecordedOutcomes {
  /** stored now; they are durable */
  recorded: number;
  /** recorded before, or earlier among these */
  duplicates: number;
  /** ids of decisions that the tenant does not have */
  unknown: string[];
  rejected: RejectedOutcome[];
}

/**
 * The decision log is written behind the answers' backs, up to ten minutes late while the store is away, and an outcome may be
 * faster. For so long an id that nobody knows yet is believed, and its outcome waits in the store for the row to come.
 */
const LATEST_ROW_MS = 15 * 60_000;
/** Clocks of different machines may differ by this much. */
const CLOCK_SKEW_MS = 60_000;
const MAX_TEXT = 128;

/** Takes outcomes in: checks each row by itself, knows whose decisions they are about, and stores each key once. */
export class OutcomeRecorder {
  constructor(
    private readonly decisions: Pick<DecisionRepository, 'findKnown'>,
    private readonly outcomes: Pick<OutcomeRepository, 'insertMany'>,
    private readonly clock: Clock,
  ) {}

  async record(tenantId: string, outcomes: readonly Outcome[]): Promise<RecordedOutcomes> {
    const now = this.clock.now();
    const known = await this.decisions.findKnown(
      tenantId,
      outcomes.map(({ decisionId }) => decisionId).filter((id) => decidedAtOf(id) !== null),
    );
    const accepted: NewOutcome[] = [];
    const rejected: RejectedOutcome[] = [];
    const unknown = new Set<string>();
    for (const outcome of outcomes) {
      const decidedAt = known.get(outcome.decisionId) ?? expectedAt(outcome.decisionId, now);
      const objection = objectionTo(outcome, decidedAt, now);
      if (objection !== null) {
        rejected.push({ idempotencyKey: outcome.idempotencyKey, code: 'INVALID_INPUT', message: objection });
      } else if (decidedAt === null) unknown.add(outcome.decisionId);
      else accepted.push({ ...outcome, decidedAt });
    }
    const { recorded, duplicates, conflicts } = await this.outcomes.insertMany(tenantId, accepted, now);
    const message = 'the key was recorded with another decision, reward or instant: use a new key';
    for (const idempotencyKey of conflicts) {
      rejected.push({ idempotencyKey, code: 'IDEMPOTENCY_CONFLICT', message });
    }
    return { recorded, duplicates: duplicates.length, unknown: [...unknown], rejected };
  }
}

/** When a decision was made whose row may still be on its way; null for one that cannot be. */
function expectedAt(id: string, now: Date): Date | null {
  const at = decidedAtOf(id);
  if (at === null) return null;
  const ageMs = now.getTime() - at.getTime();
  return ageMs >= -CLOCK_SKEW_MS && ageMs <= LATEST_ROW_MS ? at : null;
}

function objectionTo(
  { reward, at, idempotencyKey }: Outcome,
  decidedAt: Date | null,
  now: Date,
): string | null {
  if (idempotencyKey.length < 1 || idempotencyKey.length > MAX_TEXT) {
    return `idempotencyKey must have 1 to ${MAX_TEXT} characters, got ${idempotencyKey.length}`;
  }
  if (!Number.isFinite(reward) || Math.abs(reward) > MAX_REWARD) {
    return `reward must be within -${MAX_REWARD} and ${MAX_REWARD}, got ${reward}`;
  }
  if (at.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    return `at must not lie in the future, got ${at.toISOString()}`;
  }
  if (decidedAt !== null && at.getTime() < decidedAt.getTime() - CLOCK_SKEW_MS) {
    return `at must not lie before the decision of ${decidedAt.toISOString()}, got ${at.toISOString()}`;
  }
  return null;
}
