import type { ScoreTask } from '@sextant/artefacts';
import type { ErrorCode } from '@sextant/domain';
import type { JobFailure, JobState, Lease } from '@sextant/model-registry';

/** One asked-for scoring of all customers of a tenant by one version of a model. */
export interface BatchJob {
  id: string;
  tenantId: string;
  task: ScoreTask;
  state: JobState;
  /** features are computed as of this instant, when the job was first taken up; null before */
  asOf: Date | null;
  /** the one version that scores everybody, `<model>@<version>`; null before the job was first taken up */
  modelVersionId: string | null;
  /** whom there were to score when the job was first taken up; null before */
  customers: number | null;
  /** customers whose score is written, up to the checkpoint */
  scored: number;
  /** customers who could not be scored, by the code of the reason */
  failures: Partial<Record<ErrorCode, number>>;
  /** ids of some of them, at most {@link MAX_FAILED_EXAMPLES} */
  failedExamples: string[];
  /** time that the job was worked on, in milliseconds, breaks between two processes aside */
  activeMs: number;
  /** what is remarkable about the run, in words; null: nothing */
  note: string | null;
  /** how often a process took it up since it last got further */
  attempts: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  failure: JobFailure | null;
}

export interface BatchRequest {
  tenantId: string;
  task: ScoreTask;
  /** the same key again yields the same job */
  idempotencyKey?: string | null;
}

/** A job that was taken up, and from where on its customers are still to be scored. */
export interface ClaimedBatch {
  job: BatchJob;
  lease: Lease;
  /** everybody up to this id is done; empty: nobody is */
  cursor: string;
}

/** What a job is fixed to when it is first taken up. */
export interface BatchPlan {
  asOf: Date;
  modelVersionId: string;
  customers: number;
}

/** What was done since the checkpoint before. */
export interface BatchStep {
  /** everybody up to this id is done now */
  cursor: string;
  scored: number;
  failures: ReadonlyMap<ErrorCode, number>;
  failedExamples: readonly string[];
  activeMs: number;
}

export const MAX_FAILED_EXAMPLES = 20;

/** Everybody who is done, scored or not. */
export function processedOf({ scored, failures }: Pick<BatchJob, 'scored' | 'failures'>): number {
  return Object.values(failures).reduce((sum, rows) => sum + rows, scored);
}

/** Share of the customers who are done, in [0, 1]; 1 only when the job succeeded. */
export function progressOf(job: BatchJob): number {
  if (job.state === 'SUCCEEDED') return 1;
  if (!job.customers) return 0;
  return Math.min(0.999, processedOf(job) / job.customers);
}

/** Customers a second of the time that the job was worked on; null while there is nothing to tell it from. */
export function rateOf(job: BatchJob): number | null {
  return job.activeMs > 0 ? (1000 * processedOf(job)) / job.activeMs : null;
}

/** Seconds until a running job ends at the rate so far; null while it cannot be told. */
export function etaSecondsOf(job: BatchJob): number | null {
  const rate = rateOf(job);
  if (job.state !== 'RUNNING' || !rate || job.customers === null) return null;
  return Math.ceil(Math.max(0, job.customers - processedOf(job)) / rate);
}
