import type { Task } from '@sextant/artefacts';
import type { ErrorCode } from '@sextant/domain';

/** QUEUED → RUNNING → SUCCEEDED | FAILED | CANCELLED; a job whose trainer died is RUNNING again under a new lease, or FAILED. */
export type JobState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** One asked-for training run of one tenant's model. */
export interface TrainingJob {
  id: string;
  tenantId: string;
  task: Task;
  state: JobState;
  /** share of the work done, in [0, 1] */
  progress: number;
  /** what the trainer does at the moment, in words; null before it starts */
  step: string | null;
  etaSeconds: number | null;
  /** newest {@link MAX_LOG_LINES} lines, oldest first */
  log: string[];
  notes: string | null;
  /** of every random draw */
  seed: number;
  /** nothing from before is read; null: from the beginning */
  dataFrom: Date | null;
  /** nothing from then on is read; null: until the run starts */
  dataTo: Date | null;
  maxMinutes: number;
  /** how often a trainer took it up */
  attempts: number;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** `<model>@<version>` once published */
  modelVersionId: string | null;
  failure: JobFailure | null;
}

/** Why a job failed: an error code of the product and a message that is safe to show. */
export interface JobFailure {
  code: ErrorCode;
  message: string;
}

/** Right to work on a job: the token changes with each claim, so that a trainer that lost its lease cannot write any more. */
export interface Lease {
  jobId: string;
  token: string;
}

export interface ClaimedJob {
  job: TrainingJob;
  lease: Lease;
}

export interface TrainingRequest {
  tenantId: string;
  task: Task;
  /** the same key again yields the same job */
  idempotencyKey?: string | null;
  notes?: string | null;
  /** of every random draw, 0 to 2^31 − 1; the default is {@link DEFAULT_SEED} */
  seed?: number | null;
  dataFrom?: Date | null;
  dataTo?: Date | null;
  /** longest run time; the default is {@link DEFAULT_MAX_MINUTES} */
  maxMinutes?: number | null;
}

export interface JobProgress {
  /** in [0, 1] */
  progress?: number;
  step?: string;
  etaSeconds?: number | null;
  log?: readonly string[];
}

export const DEFAULT_MAX_MINUTES = 30;
export const DEFAULT_SEED = 42;
export const MAX_LOG_LINES = 200;
export const MAX_LOG_LINE_CHARACTERS = 500;
