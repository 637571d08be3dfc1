import { type Collection, type Db, MongoBulkWriteError } from 'mongodb';
import type { DecisionKind, LoggedDecision } from './logged-decision.js';

type DecisionDocument = Omit<LoggedDecision, 'id'> & { _id: string };

const KEPT_DAYS = 180;

/** Every decision of the last 180 days with what it was decided on. */
export class DecisionRepository {
  private readonly decisions: Collection<DecisionDocument>;

  constructor(db: Db) {
    this.decisions = db.collection('decisions');
  }

  async ensureIndexes(): Promise<void> {
    await this.decisions.createIndexes([
      { key: { tenantId: 1, subject: 1, at: -1 }, name: 'newest_by_subject' },
      { key: { at: 1 }, name: 'expire_after_180_days', expireAfterSeconds: KEPT_DAYS * 24 * 60 * 60 },
    ]);
  }

  /** Stores rows; one that is there already (an attempt whose answer was lost) counts as stored. */
  async insertMany(rows: readonly LoggedDecision[]): Promise<void> {
    if (rows.length === 0) return;
    try {
      await this.decisions.insertMany(rows.map(toDocument), { ordered: false });
    } catch (error) {
      if (!isOnlyDuplicates(error)) throw error;
    }
  }

  async find(tenantId: string, id: string): Promise<LoggedDecision | null> {
    const found = await this.decisions.findOne({ tenantId, _id: id });
    return found ? toDecision(found) : null;
  }

  /** Newest first. */
  async listOfSubject(
    tenantId: string,
    subject: string,
    page: { kinds: readonly DecisionKind[]; first: number },
  ): Promise<LoggedDecision[]> {
    const found = await this.decisions
      .find({ tenantId, subject, kind: { $in: [...page.kinds] } })
      .sort({ at: -1 })
      .limit(page.first)
      .toArray();
    return found.map(toDecision);
  }
}

function toDocument({ id, ...rest }: LoggedDecision): DecisionDocument {
  return { _id: id, ...rest };
}

function toDecision({ _id, ...rest }: DecisionDocument): LoggedDecision {
  return { id: _id, ...rest };
}

function isOnlyDuplicates(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) return false;
  const errors = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return (
    errors.length > 0 &&
    errors.every(({ code }) => code === 11000) &&
    error.result.getWriteConcernError() === undefined
  );
}
