import type { Task } from '@sextant/artefacts';
import type { Collection, Db } from 'mongodb';
import type { JobState, TrainingJob } from './training-job.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A job that waited longer than this in the queue is not looked for any more. */
const LONGEST_WAIT_MS = 7 * DAY_MS;
/** Jobs looked at to count failures in a row. */
const MOST_FAILURES = 20;

type JobDocument = Pick<
  TrainingJob,
  'tenantId' | 'task' | 'state' | 'createdAt' | 'startedAt' | 'finishedAt'
> & {
  _id: string;
};

/** The newest training of a task. */
export interface LatestTraining {
  id: string;
  state: JobState;
  createdAt: Date;
  /** null while it waits or runs */
  finishedAt: Date | null;
}

/** What the queue of training jobs tells of the past; read only. */
export class TrainingHistory {
  private readonly jobs: Collection<JobDocument>;

  constructor(db: Db) {
    this.jobs = db.collection('training_jobs');
  }

  /** The newest job of a task, whoever asked for it, and how many failed since one succeeded. */
  async latest(tenantId: string, task: Task): Promise<{ job: LatestTraining | null; failedInARow: number }> {
    const found = await this.jobs
      .find({ tenantId, task }, { projection: { state: 1, createdAt: 1, finishedAt: 1 } })
      .sort({ createdAt: -1 })
      .limit(MOST_FAILURES)
      .toArray();
    const [newest] = found;
    const ended = found.filter(({ state }) => state === 'SUCCEEDED' || state === 'FAILED');
    const firstGood = ended.findIndex(({ state }) => state === 'SUCCEEDED');
    return {
      job: newest ? toLatest(newest) : null,
      failedInARow: firstGood < 0 ? ended.length : firstGood,
    };
  }

  /** Minutes that jobs of a tenant ran in the 24 hours before now, those still running included. */
  async usedMinutes(tenantId: string, now: Date): Promise<number> {
    const begin = now.getTime() - DAY_MS;
    const found = this.jobs.find(
      {
        tenantId,
        createdAt: { $gte: new Date(begin - LONGEST_WAIT_MS), $lte: now },
        startedAt: { $ne: null },
        $or: [{ finishedAt: null }, { finishedAt: { $gt: new Date(begin) } }],
      },
      { projection: { startedAt: 1, finishedAt: 1 } },
    );
    let usedMs = 0;
    for await (const { startedAt, finishedAt } of found) {
      const from = Math.max(begin, startedAt?.getTime() ?? now.getTime());
      usedMs += Math.max(0, Math.min(finishedAt?.getTime() ?? now.getTime(), now.getTime()) - from);
    }
    return usedMs / MINUTE_MS;
  }
}

function toLatest({ _id, state, createdAt, finishedAt }: JobDocument): LatestTraining {
  return { id: _id, state, createdAt, finishedAt };
}
