import type { ScoreTask } from '@sextant/artefacts';
import type { ScoreBasis } from '@sextant/features';
import { type AnyBulkWriteOperation, type Collection, type Db, MongoBulkWriteError } from 'mongodb';

/** What a batch job found out about one customer: one such document a tenant, task and customer. */
export interface CustomerScore {
  customerId: string;
  task: ScoreTask;
  /** calibrated probability, in [0, 1] */
  score: number;
  percentile: number;
  band: string;
  basis: ScoreBasis;
  /** `<model>@<version>` */
  modelVersionId: string;
  jobId: string;
  /** features are as of this instant */
  asOf: Date;
}

interface ScoreDocument extends CustomerScore {
  /** tenant, task and customer, separated by blanks */
  _id: string;
  tenantId: string;
}

/** What the scores of one job have in common. */
export interface ScoreOrigin {
  tenantId: string;
  task: ScoreTask;
  modelVersionId: string;
  jobId: string;
  asOf: Date;
}

export type ScoredCustomer = Pick<CustomerScore, 'customerId' | 'score' | 'percentile' | 'band' | 'basis'>;

/** Position in the order of {@link CustomerScores.top}. */
export interface ScorePosition {
  score: number;
  customerId: string;
}

const DUPLICATE_KEY = 11_000;

/** The newest batch score of each customer; written by batch jobs, read by the prediction subgraph. */
export class CustomerScores {
  private readonly scores: Collection<ScoreDocument>;

  constructor(db: Db) {
    this.scores = db.collection('customer_scores');
  }

  async ensureIndexes(): Promise<void> {
    await this.scores.createIndex(
      { tenantId: 1, task: 1, score: -1, customerId: 1 },
      { name: 'highest_by_task' },
    );
  }

  /**
   * Writes one document a customer, in place of the one of an earlier job. Writing the same again changes nothing; a score of a
   * later instant stays.
   */
  async save(origin: ScoreOrigin, rows: readonly ScoredCustomer[]): Promise<void> {
    const written = await this.write(origin, rows);
    // An insert of the same key came between: either a later score, which stays, or an earlier one, which is replaced now.
    if (written.length > 0) await this.write(origin, written);
  }

  /** Those of the customers who have a score, by their id. */
  async get(
    tenantId: string,
    task: ScoreTask,
    customerIds: readonly string[],
  ): Promise<Map<string, CustomerScore>> {
    const ids = customerIds.map((customerId) => keyOf({ tenantId, task, customerId }));
    const found = await this.scores.find({ tenantId, _id: { $in: ids } }).toArray();
    return new Map(found.map((document) => [document.customerId, toScore(document)]));
  }

  /** The customers with the highest scores, the highest first; equal scores by id. */
  async top(
    tenantId: string,
    task: ScoreTask,
    { first, after }: { first: number; after: ScorePosition | null },
  ): Promise<CustomerScore[]> {
    const found = await this.scores
      .find({
        tenantId,
        task,
        ...(after && {
          $or: [
            { score: { $lt: after.score } },
            { score: after.score, customerId: { $gt: after.customerId } },
          ],
        }),
      })
      .sort({ score: -1, customerId: 1 })
      .limit(first)
      .toArray();
    return found.map(toScore);
  }

  async count(tenantId: string, task: ScoreTask): Promise<number> {
    return this.scores.countDocuments({ tenantId, task });
  }

  /** Scores of customers whom a whole job of that instant did not meet: they are no longer there. @returns how many went */
  async removeOlderThan({
    tenantId,
    task,
    asOf,
  }: Pick<ScoreOrigin, 'tenantId' | 'task' | 'asOf'>): Promise<number> {
    const { deletedCount } = await this.scores.deleteMany({ tenantId, task, asOf: { $lt: asOf } });
    return deletedCount;
  }

  /** Everything that is known of these customers here, for their erasure. */
  async remove(tenantId: string, customerIds: readonly string[], tasks: readonly ScoreTask[]): Promise<void> {
    const ids = tasks.flatMap((task) =>
      customerIds.map((customerId) => keyOf({ tenantId, task, customerId })),
    );
    await this.scores.deleteMany({ tenantId, _id: { $in: ids } });
  }

  /** @returns rows that were not written since their key was there already, with a later instant or by a write at the same time */
  private async write(
    origin: ScoreOrigin,
    rows: readonly ScoredCustomer[],
  ): Promise<readonly ScoredCustomer[]> {
    if (rows.length === 0) return [];
    try {
      await this.scores.bulkWrite(
        rows.map((row) => operationOf(origin, row)),
        { ordered: false },
      );
      return [];
    } catch (error) {
      return lostRows(error).flatMap((index) => rows[index] ?? []);
    }
  }
}

function operationOf(origin: ScoreOrigin, row: ScoredCustomer): AnyBulkWriteOperation<ScoreDocument> {
  const { tenantId, task, asOf } = origin;
  const { customerId } = row;
  const _id = keyOf({ tenantId, task, customerId });
  return {
    replaceOne: {
      filter: { _id, tenantId, asOf: { $lte: asOf } },
      replacement: { ...origin, ...row },
      upsert: true, // where a later score is, this is an insert of an existing _id, and so an error of its own row
    },
  };
}

function keyOf({
  tenantId,
  task,
  customerId,
}: {
  tenantId: string;
  task: ScoreTask;
  customerId: string;
}): string {
  return `${tenantId} ${task} ${customerId}`;
}

function toScore({ _id, tenantId: _tenant, ...score }: ScoreDocument): CustomerScore {
  return score;
}

/** Row numbers that failed only because the key was there already; any other failure is thrown on. */
function lostRows(error: unknown): number[] {
  if (!(error instanceof MongoBulkWriteError) || error.err) throw error;
  const failed = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  if (failed.length === 0 || failed.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
  return failed.map(({ index }) => index);
}
