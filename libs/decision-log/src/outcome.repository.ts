import { type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import { KEPT_DAYS } from './logged-decision.js';
import type { Outcome, OutcomeSummary } from './outcome.js';

interface OutcomeDocument extends Outcome {
  /** `<tenantId> <idempotencyKey>`: a tenant id has no space, so that keys of tenants never meet */
  _id: string;
  tenantId: string;
  /** outcomes leave the store with their decision */
  decidedAt: Date;
  recordedAt: Date;
}

/** An outcome with what the store keeps beside it. */
export interface NewOutcome extends Outcome {
  decidedAt: Date;
}

export interface StoredOutcomes {
  recorded: number;
  /** keys that were recorded before with the same content, or stood earlier among these */
  duplicates: string[];
  /** keys that were recorded before with other content */
  conflicts: string[];
}

/** What came of decisions; kept as long as they are. */
export class OutcomeRepository {
  private readonly outcomes: Collection<OutcomeDocument>;

  constructor(db: Db) {
    this.outcomes = db.collection('outcomes');
  }

  async ensureIndexes(): Promise<void> {
    await this.outcomes.createIndexes([
      { key: { tenantId: 1, decisionId: 1 }, name: 'of_decision' },
      {
        key: { decidedAt: 1 },
        name: 'expire_with_decision',
        expireAfterSeconds: KEPT_DAYS * 24 * 60 * 60,
      },
    ]);
  }

  /** Stores each key once, whoever else stores it at the same time. */
  async insertMany(
    tenantId: string,
    outcomes: readonly NewOutcome[],
    recordedAt: Date,
  ): Promise<StoredOutcomes> {
    if (outcomes.length === 0) return { recorded: 0, duplicates: [], conflicts: [] };
    const rows = outcomes.map((outcome) => toDocument(tenantId, outcome, recordedAt));
    const refused = await this.insertNew(rows);
    const before = await this.findByKey(tenantId, refused);
    const isSame = ({ _id, decisionId, reward, at }: OutcomeDocument): boolean => {
      const known = before.get(_id);
      return (
        known?.decisionId === decisionId && known.reward === reward && known.at.getTime() === at.getTime()
      );
    };
    const keysOf = (those: readonly OutcomeDocument[]): string[] => those.map((row) => row.idempotencyKey);
    return {
      recorded: rows.length - refused.length,
      duplicates: keysOf(refused.filter(isSame)),
      conflicts: keysOf(refused.filter((row) => !isSame(row))),
    };
  }

  /** What came of each of the decisions, by id; a decision without an outcome is absent. */
  async summariesOf(
    tenantId: string,
    decisionIds: readonly string[],
  ): Promise<ReadonlyMap<string, OutcomeSummary>> {
    if (decisionIds.length === 0) return new Map();
    const summaries = await this.outcomes
      .aggregate<Omit<OutcomeSummary, 'source'> & { _id: string }>([
        { $match: { tenantId, decisionId: { $in: [...decisionIds] } } },
        {
          $group: {
            _id: '$decisionId',
            reward: { $sum: '$reward' },
            at: { $max: '$at' },
            count: { $sum: 1 },
          },
        },
      ])
      .toArray();
    return new Map(summaries.map(({ _id, ...summary }) => [_id, { ...summary, source: 'RECORDED' }]));
  }

  /** @returns the rows whose key was there */
  private async insertNew(rows: readonly OutcomeDocument[]): Promise<OutcomeDocument[]> {
    try {
      await this.outcomes.insertMany([...rows], { ordered: false });
      return [];
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
      const isOther = errors.some(({ code }) => code !== 11000) || error.result.getWriteConcernError();
      if (errors.length === 0 || isOther) throw error;
      return errors.flatMap(({ index }) => rows[index] ?? []);
    }
  }

  private async findByKey(
    tenantId: string,
    rows: readonly OutcomeDocument[],
  ): Promise<Map<string, OutcomeDocument>> {
    if (rows.length === 0) return new Map();
    const found = await this.outcomes
      .find({ tenantId, _id: { $in: [...new Set(rows.map(({ _id }) => _id))] } })
      .toArray();
    return new Map(found.map((row) => [row._id, row]));
  }
}

function toDocument(
  tenantId: string,
  { decisionId, reward, at, idempotencyKey, decidedAt }: NewOutcome,
  recordedAt: Date,
): OutcomeDocument {
  return {
    _id: `${tenantId} ${idempotencyKey}`,
    ...{ tenantId, decisionId, reward, at, idempotencyKey, decidedAt, recordedAt },
  };
}
