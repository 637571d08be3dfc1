import type { FairnessSlice, Gate, Task } from '@sextant/artefacts';
import type { ErrorCode } from '@sextant/domain';

/** What the job runner asks of a training process. */
export interface TrainingOrder {
  tenantId: string;
  task: Task;
  seed: number;
  /** RFC 3339; only events at or after it, as if nothing had been before */
  dataFrom?: string | null;
  /** RFC 3339; only events before it. The same period, consents, seed and code give the same files. */
  dataTo?: string | null;
}

/** What was found out about a version when it was made. */
export interface VersionFindings {
  gates: Gate[];
  /** shares in [0, 1] by feature */
  importance: Record<string, number>;
  fairness: FairnessSlice[];
}

/** A version that lies in the model repository. */
export interface Published {
  model: string;
  version: number;
  findings: VersionFindings;
}

/** What a training process tells while and after it works. */
export type TrainingMessage =
  | { kind: 'progress'; progress: number; step: string }
  | ({ kind: 'published' } & Published)
  | { kind: 'failed'; code: ErrorCode; message: string };
