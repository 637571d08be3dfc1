import { randomUUID } from 'node:crypto';
import type { Task } from '@sextant/artefacts';
import { type Clock, DomainError, systemClock } from '@sextant/domain';
import { type Collection, type Db, type Document, type Filter, MongoServerError } from 'mongodb';
import {
  type ClaimedJob,
  DEFAULT_MAX_MINUTES,
  DEFAULT_SEED,
  type JobFailure,
  type JobProgress,
  type JobState,
  type Lease,
  MAX_LOG_LINE_CHARACTERS,
  MAX_LOG_LINES,
  type TrainingJob,
  type TrainingRequest,
} from './training-job.js';

/** A trainer says that it lives at least this often, or loses its job; well above a long step's silence between two reports. */
export const DEFAULT_LEASE_MS = 30_000;
/** A job that killed its trainer this often is given up, so that a poisonous one does not run for ever. */
export const MAX_ATTEMPTS = 3;

const STATES: readonly JobState[] = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];

interface TrainingJobDocument extends Omit<TrainingJob, 'id'> {
  _id: string;
  /** absent when the caller gave none, so that the unique index skips it */
  idempotencyKey?: string;
  leaseToken: string | null;
  leaseUntil: Date | null;
}

/** The queue of training runs: written by the prediction subgraph (who asks) and by the trainer (who works). */
export class TrainingJobs {
  private readonly jobs: Collection<TrainingJobDocument>;

  constructor(
    db: Db,
    private readonly clock: Clock = systemClock,
  ) {
    this.jobs = db.collection('training_jobs');
  }

  async ensureIndexes(): Promise<void> {
    await this.jobs.createIndexes([
      {
        key: { tenantId: 1, idempotencyKey: 1 },
        name: 'one_job_by_idempotency_key',
        unique: true,
        partialFilterExpression: { idempotencyKey: { $exists: true } },
      },
      { key: { state: 1, createdAt: 1 }, name: 'claim_oldest' },
      { key: { tenantId: 1, createdAt: -1 }, name: 'newest_by_tenant' },
    ]);
  }

  /**
   * Puts a job at the end of the queue; the same idempotency key again returns the job it made first.
   *
   * @throws DomainError IDEMPOTENCY_CONFLICT when the key was used for another request
   */
  async enqueue(request: TrainingRequest): Promise<TrainingJob> {
    const document = queuedJob(request, this.clock.now());
    try {
      await this.jobs.insertOne(document);
      return toJob(document);
    } catch (error) {
      if (!isDuplicateKey(error) || document.idempotencyKey === undefined) throw error;
    }
    const { tenantId, idempotencyKey } = document;
    const earlier = await this.jobs.findOne({ tenantId, idempotencyKey });
    if (earlier && isSameRequest(toJob(earlier), toJob(document))) return toJob(earlier);
    throw new DomainError(
      'IDEMPOTENCY_CONFLICT',
      'this idempotency key was used for another training request; use a new one',
      {
        path: 'idempotencyKey',
      },
    );
  }

  async find(tenantId: string, id: string): Promise<TrainingJob | null> {
    const found = await this.jobs.findOne({ tenantId, _id: id });
    return found ? toJob(found) : null;
  }

  /** Newest first, of all tasks unless one is named. */
  async list(tenantId: string, first: number, task?: Task): Promise<TrainingJob[]> {
    const filter = { tenantId, ...(task && { task }) };
    const found = await this.jobs.find(filter).sort({ createdAt: -1 }).limit(first).toArray();
    return found.map(toJob);
  }

  /** Jobs of all tenants by state: those that wait or run, and those created since. */
  async countByState(since: Date): Promise<Map<JobState, number>> {
    const counts = await Promise.all(
      STATES.map(async (state): Promise<[JobState, number]> => {
        const isOpen = state === 'QUEUED' || state === 'RUNNING';
        const filter = isOpen ? { state } : { state, createdAt: { $gte: since } };
        return [state, await this.jobs.countDocuments(filter)];
      }),
    );
    return new Map(counts);
  }

  /**
   * Takes up the oldest job that waits, or whose trainer let its lease run out; null when there is none.
   * Jobs that lost their trainer {@link MAX_ATTEMPTS} times are failed here, with that reason.
   */
  async claim(leaseMs = DEFAULT_LEASE_MS): Promise<ClaimedJob | null> {
    const now = this.clock.now();
    await this.failAbandoned(now);
    const token = randomUUID();
    const claimable: Filter<TrainingJobDocument> = {
      $or: [{ state: 'QUEUED' }, { state: 'RUNNING', leaseUntil: { $lt: now } }],
    };
    const claimed = await this.jobs.findOneAndUpdate(
      claimable,
      {
        $set: {
          state: 'RUNNING',
          leaseToken: token,
          leaseUntil: later(now, leaseMs),
          startedAt: now,
          progress: 0,
          step: null,
          etaSeconds: null,
        },
        $inc: { attempts: 1 },
      },
      { sort: { createdAt: 1 }, returnDocument: 'after' },
    );
    return claimed ? { job: toJob(claimed), lease: { jobId: claimed._id, token } } : null;
  }

  /**
   * Renews the lease and writes what is given; call it at least every third of the lease, also with nothing to say.
   *
   * @returns false when the lease is lost (cancelled, or taken up elsewhere): the caller must stop
   */
  async report(lease: Lease, report: JobProgress = {}, leaseMs = DEFAULT_LEASE_MS): Promise<boolean> {
    const { log = [], progress, step, etaSeconds } = report;
    const outcome = await this.jobs.updateOne(heldBy(lease), {
      $set: {
        leaseUntil: later(this.clock.now(), leaseMs),
        ...(progress !== undefined && { progress: Math.min(1, Math.max(0, progress)) }),
        ...(step !== undefined && { step }),
        ...(etaSeconds !== undefined && {
          etaSeconds: etaSeconds === null ? null : Math.max(0, Math.round(etaSeconds)),
        }),
      },
      ...(log.length > 0 && { $push: { log: { $each: log.map(trimmed), $slice: -MAX_LOG_LINES } } }),
    });
    return outcome.matchedCount === 1;
  }

  /** The version that the job made; whoever takes the job up again goes on from there. @returns false when the lease is lost */
  async attach(lease: Lease, modelVersionId: string): Promise<boolean> {
    const outcome = await this.jobs.updateOne(heldBy(lease), { $set: { modelVersionId } });
    return outcome.matchedCount === 1;
  }

  /** @returns false when the lease is lost; the version stays published, the job belongs to someone else */
  async succeed(lease: Lease, modelVersionId: string): Promise<boolean> {
    return this.finish(lease, { state: 'SUCCEEDED', progress: 1, modelVersionId });
  }

  /** @returns false when the lease is lost */
  async fail(lease: Lease, failure: JobFailure): Promise<boolean> {
    return this.finish(lease, { state: 'FAILED', failure });
  }

  /** Puts a job back at once, for a trainer that shuts down in order; the attempt does not count. @returns false when the lease is lost */
  async release(lease: Lease): Promise<boolean> {
    const outcome = await this.jobs.updateOne(heldBy(lease), {
      $set: {
        state: 'QUEUED',
        leaseToken: null,
        leaseUntil: null,
        startedAt: null,
        progress: 0,
        step: null,
        etaSeconds: null,
      },
      $inc: { attempts: -1 },
    });
    return outcome.matchedCount === 1;
  }

  /** Stops a job that has not ended; its trainer learns it with its next report. @returns false when it had ended or is not this tenant's */
  async cancel(tenantId: string, id: string): Promise<boolean> {
    const outcome = await this.jobs.updateOne(
      { tenantId, _id: id, state: { $in: ['QUEUED', 'RUNNING'] } },
      { $set: { ...ended(this.clock.now()), state: 'CANCELLED' } },
    );
    return outcome.matchedCount === 1;
  }

  /** The collection for change streams, and how one of its documents is read. */
  watched(): { collection: Collection<Document>; read: (document: Document) => TrainingJob } {
    return {
      collection: this.jobs as unknown as Collection<Document>,
      read: (document) => toJob(document as unknown as TrainingJobDocument),
    };
  }

  private async finish(
    lease: Lease,
    result: Partial<TrainingJobDocument> & { state: JobState },
  ): Promise<boolean> {
    const outcome = await this.jobs.updateOne(heldBy(lease), {
      $set: { ...ended(this.clock.now()), ...result },
    });
    return outcome.matchedCount === 1;
  }

  private async failAbandoned(now: Date): Promise<void> {
    const failure: JobFailure = {
      code: 'TRAINER_LOST',
      message: `the trainer died ${MAX_ATTEMPTS} times while it worked on this job; see its log and memory limit, then ask again`,
    };
    await this.jobs.updateMany(
      { state: 'RUNNING', leaseUntil: { $lt: now }, attempts: { $gte: MAX_ATTEMPTS } },
      { $set: { ...ended(now), state: 'FAILED', failure } },
    );
  }
}

function queuedJob(request: TrainingRequest, now: Date): TrainingJobDocument {
  return {
    _id: `job_${randomUUID()}`,
    tenantId: request.tenantId,
    task: request.task satisfies Task,
    state: 'QUEUED',
    progress: 0,
    step: null,
    etaSeconds: null,
    log: [],
    notes: request.notes ?? null,
    seed: request.seed ?? DEFAULT_SEED,
    dataFrom: request.dataFrom ?? null,
    dataTo: request.dataTo ?? null,
    maxMinutes: request.maxMinutes ?? DEFAULT_MAX_MINUTES,
    attempts: 0,
    createdAt: now,
    startedAt: null,
    finishedAt: null,
    modelVersionId: null,
    failure: null,
    leaseToken: null,
    leaseUntil: null,
    ...(request.idempotencyKey && { idempotencyKey: request.idempotencyKey }),
  };
}

function toJob({
  _id,
  idempotencyKey: _key,
  leaseToken: _token,
  leaseUntil: _until,
  ...job
}: TrainingJobDocument): TrainingJob {
  const ofOlderJobs = { seed: DEFAULT_SEED, dataFrom: null, dataTo: null };
  return { id: _id, ...ofOlderJobs, ...job };
}

function isSameRequest(a: TrainingJob, b: TrainingJob): boolean {
  return (
    a.task === b.task &&
    a.notes === b.notes &&
    a.maxMinutes === b.maxMinutes &&
    a.seed === b.seed &&
    a.dataFrom?.getTime() === b.dataFrom?.getTime() &&
    a.dataTo?.getTime() === b.dataTo?.getTime()
  );
}

function heldBy({ jobId, token }: Lease): Filter<TrainingJobDocument> {
  return { _id: jobId, state: 'RUNNING', leaseToken: token };
}

function ended(now: Date) {
  return { finishedAt: now, leaseToken: null, leaseUntil: null, etaSeconds: null };
}

function later(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}

function trimmed(line: string): string {
  return line.slice(0, MAX_LOG_LINE_CHARACTERS);
}

function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000;
}
