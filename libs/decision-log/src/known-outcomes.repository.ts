import type { Collection, Db } from 'mongodb';
import type { LoggedDecision } from './logged-decision.js';

interface OutcomeRow {
  tenantId: string;
  decisionId: string;
  reward: number;
  recordedAt: Date;
  decidedAt: Date;
}

type DecisionRow = Omit<LoggedDecision, 'id'> & { _id: string };

/** A decision of a version, with what came of it. */
export interface DecidedOutcome {
  decision: LoggedDecision;
  /** sum of what was recorded of it in the same reading */
  reward: number;
}

export interface OutcomeReading {
  tenantId: string;
  /** `<model>@<version>`; decisions of others are left out */
  modelVersions: readonly string[];
  /** only of decisions made since */
  decidedFrom: Date;
  /** only outcomes recorded since; those of this very instant may come twice */
  recordedFrom: Date;
  /** outcomes to look at, at most */
  first: number;
}

/** Outcomes in the order in which they became known, each with its decision: for who learns from them as they come. */
export class KnownOutcomes {
  private readonly outcomes: Collection<OutcomeRow>;
  private readonly decisions: Collection<DecisionRow>;

  constructor(db: Db) {
    this.outcomes = db.collection('outcomes');
    this.decisions = db.collection('decisions');
  }

  async ensureIndexes(): Promise<void> {
    await this.outcomes.createIndexes([{ key: { tenantId: 1, recordedAt: 1 }, name: 'as_recorded' }]);
  }

  /** @returns also where to go on: `recordedFrom` of the next reading; the same as before where nothing is new */
  async read(
    reading: OutcomeReading,
  ): Promise<{ rows: DecidedOutcome[]; recordedUpTo: Date; isFull: boolean }> {
    const { tenantId, modelVersions, decidedFrom, recordedFrom, first } = reading;
    const found = await this.outcomes
      .find({ tenantId, recordedAt: { $gte: recordedFrom }, decidedAt: { $gte: decidedFrom } })
      .sort({ recordedAt: 1 })
      .limit(first)
      .toArray();
    const rewards = new Map<string, number>();
    for (const { decisionId, reward } of found)
      rewards.set(decisionId, (rewards.get(decisionId) ?? 0) + reward);
    const decided = await this.decisions
      .find({ tenantId, _id: { $in: [...rewards.keys()] }, modelVersion: { $in: [...modelVersions] } })
      .toArray();
    const byId = new Map(decided.map((row) => [row._id, row]));
    const rows = [...rewards].flatMap(([id, reward]): DecidedOutcome[] => {
      const row = byId.get(id);
      if (!row) return [];
      const { _id, ...rest } = row;
      return [{ decision: { id: _id, ...rest }, reward }];
    });
    const recordedUpTo = found.at(-1)?.recordedAt ?? recordedFrom;
    return { rows, recordedUpTo, isFull: found.length === first };
  }
}
