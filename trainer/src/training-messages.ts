import type { Task } from '@sextant/artefacts';
import type { ErrorCode } from '@sextant/domain';

/** What the job runner asks of a training process. */
export interface TrainingOrder {
  tenantId: string;
  task: Task;
  seed: number;
}

/** What a training process tells while and after it works. */
export type TrainingMessage =
  | { kind: 'progress'; progress: number; step: string }
  | { kind: 'published'; model: string; version: number }
  | { kind: 'failed'; code: ErrorCode; message: string };
