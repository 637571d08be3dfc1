import { randomUUID } from 'node:crypto';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import {
  DEFAULT_LEASE_MS,
  type JobFailure,
  type JobState,
  type Lease,
  MAX_ATTEMPTS,
} from '@sextant/model-registry';
import { type Collection, type Db, type Document, type Filter, MongoServerError } from 'mongodb';
import {
  type BatchJob,
  type BatchPlan,
  type BatchRequest,
  type BatchStep,
  type ClaimedBatch,
  MAX_FAILED_EXAMPLES,
} from './batch-job.js';

interface BatchJobDocument extends Omit<BatchJob, 'id'> {
  _id: string;
  /** absent when the caller gave none, so that the unique index skips it */
  idempotencyKey?: string;
  /** there while the job waits or runs, so that the unique index allows one such job of a task */
  open?: true;
  cursor: string;
  leaseToken: string | null;
  leaseUntil: Date | null;
}

const DUPLICATE_KEY = 11_000;

/** The queue of batch jobs: written by the prediction subgraph (who asks) and by the processes that score. */
export class BatchJobs {
  private readonly jobs: Collection<BatchJobDocument>;

  constructor(
    db: Db,
    private readonly clock: Clock = systemClock,
  ) {
    this.jobs = db.collection('batch_jobs');
  }

  async ensureIndexes(): Promise<void> {
    await this.jobs.createIndexes([
      {
        key: { tenantId: 1, idempotencyKey: 1 },
        name: 'one_job_by_idempotency_key',
        unique: true,
        partialFilterExpression: { idempotencyKey: { $exists: true } },
      },
      {
        key: { tenantId: 1, task: 1, open: 1 },
        name: 'one_open_job_by_task',
        unique: true,
        partialFilterExpression: { open: true },
      },
      { key: { state: 1, createdAt: 1 }, name: 'claim_oldest' },
      { key: { tenantId: 1, createdAt: -1 }, name: 'newest_by_tenant' },
    ]);
  }

  /**
   * Puts a job at the end of the queue. The job of the same idempotency key, else the one of the task that waits or runs, is
   * returned in place of a second one.
   *
   * @throws DomainError IDEMPOTENCY_CONFLICT when the key was used for another task
   */
  async enqueue(request: BatchRequest): Promise<BatchJob> {
    const { tenantId, task, idempotencyKey } = request;
    const document = queuedJob(request, this.clock.now());
    for (;;) {
      try {
        await this.jobs.insertOne(document);
        return toJob(document);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
      const byKey = idempotencyKey ? await this.jobs.findOne({ tenantId, idempotencyKey }) : null;
      const earlier = byKey ?? (await this.jobs.findOne({ tenantId, task, open: true }));
      if (earlier && earlier.task !== task) {
        const message = `this idempotency key was used for ${earlier.task}; use a new one for ${task}`;
        throw new DomainError('IDEMPOTENCY_CONFLICT', message, { path: 'input.idempotencyKey' });
      }
      if (earlier) return toJob(earlier); // else it ended between the two looks
    }
  }

  async find(tenantId: string, id: string): Promise<BatchJob | null> {
    const found = await this.jobs.findOne({ tenantId, _id: id });
    return found ? toJob(found) : null;
  }

  /** Newest first. */
  async list(tenantId: string, first: number): Promise<BatchJob[]> {
    const found = await this.jobs.find({ tenantId }).sort({ createdAt: -1 }).limit(first).toArray();
    return found.map(toJob);
  }

  /**
   * Takes up the oldest job that waits, or whose process let its lease run out; null when there is none. Jobs that lost their
   * process {@link MAX_ATTEMPTS} times without getting further are failed here, with that reason.
   */
  async claim(leaseMs = DEFAULT_LEASE_MS): Promise<ClaimedBatch | null> {
    const now = this.clock.now();
    await this.failAbandoned(now);
    const token = randomUUID();
    const claimed = await this.jobs.findOneAndUpdate(
      { $or: [{ state: 'QUEUED' }, { state: 'RUNNING', leaseUntil: { $lt: now } }] },
      [
        {
          $set: {
            state: 'RUNNING',
            leaseToken: token,
            leaseUntil: later(now, leaseMs),
            startedAt: { $ifNull: ['$startedAt', now] },
            attempts: { $add: ['$attempts', 1] },
          },
        },
      ],
      { sort: { createdAt: 1 }, returnDocument: 'after' },
    );
    if (!claimed) return null;
    return { job: toJob(claimed), lease: { jobId: claimed._id, token }, cursor: claimed.cursor };
  }

  /** Fixes what a job is about, once; a job that was taken up before keeps what it was fixed to. @returns null when the lease is lost */
  async plan(lease: Lease, plan: BatchPlan): Promise<BatchJob | null> {
    await this.jobs.updateOne({ ...heldBy(lease), asOf: null }, { $set: { ...plan } });
    const found = await this.jobs.findOne(heldBy(lease));
    return found ? toJob(found) : null;
  }

  /**
   * Records how far the job is and renews its lease; what a step counts is counted once, since the cursor moves with it.
   *
   * @param step  null: nothing but the lease
   * @returns     false when the lease is lost (cancelled, or taken up elsewhere): the caller must stop
   */
  async checkpoint(lease: Lease, step: BatchStep | null, leaseMs = DEFAULT_LEASE_MS): Promise<boolean> {
    const leaseUntil = later(this.clock.now(), leaseMs);
    const outcome = await this.jobs.updateOne(
      heldBy(lease),
      step
        ? { ...changesOf(step), $set: { leaseUntil, cursor: step.cursor, attempts: 1 } }
        : { $set: { leaseUntil } },
    );
    return outcome.matchedCount === 1;
  }

  /** Says something about the run, in place of what was said before. */
  async remark(lease: Lease, note: string): Promise<void> {
    await this.jobs.updateOne(heldBy(lease), { $set: { note } });
  }

  /** @returns false when the lease is lost */
  async succeed(lease: Lease): Promise<boolean> {
    return this.finish(lease, { state: 'SUCCEEDED' });
  }

  /** @returns false when the lease is lost */
  async fail(lease: Lease, failure: JobFailure): Promise<boolean> {
    return this.finish(lease, { state: 'FAILED', failure });
  }

  /**
   * Puts a job back at once; its checkpoint stays.
   *
   * @param isOrderly  a process that shuts down: the attempt does not count
   * @returns          false when the lease is lost
   */
  async release(lease: Lease, { isOrderly }: { isOrderly: boolean }): Promise<boolean> {
    const outcome = await this.jobs.updateOne(heldBy(lease), {
      $set: { state: 'QUEUED', leaseToken: null, leaseUntil: null },
      ...(isOrderly && { $inc: { attempts: -1 } }),
    });
    await this.failAbandoned(this.clock.now());
    return outcome.matchedCount === 1;
  }

  /** Stops a job that has not ended; what it wrote stays. @returns false when it had ended or is not this tenant's */
  async cancel(tenantId: string, id: string): Promise<boolean> {
    const outcome = await this.jobs.updateOne(
      { tenantId, _id: id, open: true },
      { $set: { ...ended(this.clock.now()), state: 'CANCELLED' }, $unset: { open: true } },
    );
    return outcome.matchedCount === 1;
  }

  /**
   * Puts a job that failed or was cancelled back into the queue; it goes on from its checkpoint, with the same version and as of
   * the same instant.
   *
   * @returns null when it is not this tenant's, did not fail, or another job of the task waits or runs
   */
  async resume(tenantId: string, id: string): Promise<BatchJob | null> {
    try {
      const resumed = await this.jobs.findOneAndUpdate(
        { tenantId, _id: id, state: { $in: ['FAILED', 'CANCELLED'] } },
        { $set: { state: 'QUEUED', open: true, failure: null, finishedAt: null, attempts: 0 } },
        { returnDocument: 'after' },
      );
      return resumed ? toJob(resumed) : null;
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /** The collection for change streams, and how one of its documents is read. */
  watched(): { collection: Collection<Document>; read: (document: Document) => BatchJob } {
    return {
      collection: this.jobs as unknown as Collection<Document>,
      read: (document) => toJob(document as unknown as BatchJobDocument),
    };
  }

  private async finish(lease: Lease, result: { state: JobState; failure?: JobFailure }): Promise<boolean> {
    const outcome = await this.jobs.updateOne(heldBy(lease), {
      $set: { ...ended(this.clock.now()), ...result },
      $unset: { open: true },
    });
    return outcome.matchedCount === 1;
  }

  private async failAbandoned(now: Date): Promise<void> {
    const failure: JobFailure = {
      code: 'TRAINER_LOST',
      message: `the process that scored died ${MAX_ATTEMPTS} times at the same customers; see the log of the trainer, then resume the job`,
    };
    const isFree = { $or: [{ state: 'QUEUED' as const }, { leaseUntil: { $lt: now } }] };
    await this.jobs.updateMany(
      { state: { $in: ['QUEUED', 'RUNNING'] }, attempts: { $gte: MAX_ATTEMPTS }, ...isFree },
      { $set: { ...ended(now), state: 'FAILED', failure }, $unset: { open: true } },
    );
  }
}

function queuedJob({ tenantId, task, idempotencyKey }: BatchRequest, now: Date): BatchJobDocument {
  return {
    _id: `bat_${randomUUID()}`,
    tenantId,
    task,
    state: 'QUEUED',
    ...{ asOf: null, modelVersionId: null, customers: null },
    ...{ scored: 0, failures: {}, failedExamples: [], activeMs: 0, note: null, attempts: 0 },
    ...{ createdAt: now, startedAt: null, finishedAt: null, failure: null },
    ...{ open: true, cursor: '', leaseToken: null, leaseUntil: null },
    ...(idempotencyKey && { idempotencyKey }),
  };
}

function changesOf({ scored, failures, failedExamples, activeMs }: BatchStep) {
  const failed = Object.fromEntries([...failures].map(([code, rows]) => [`failures.${code}`, rows]));
  return {
    $inc: { scored, activeMs, ...failed },
    ...(failedExamples.length > 0 && {
      $push: { failedExamples: { $each: [...failedExamples], $slice: MAX_FAILED_EXAMPLES } },
    }),
  };
}

function toJob({
  _id,
  idempotencyKey: _key,
  open: _open,
  cursor: _cursor,
  leaseToken: _token,
  leaseUntil: _until,
  ...job
}: BatchJobDocument): BatchJob {
  return { id: _id, ...job };
}

function heldBy({ jobId, token }: Lease): Filter<BatchJobDocument> {
  return { _id: jobId, state: 'RUNNING', leaseToken: token };
}

function ended(now: Date) {
  return { finishedAt: now, leaseToken: null, leaseUntil: null };
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}
