import type { Rung } from '@sextant/decision-log';
import type { Attribution } from '@sextant/inference-protocol';
import type { Stage } from '@sextant/model-registry';

/** What a worker computes on, as it names it. */
export const DEVICES = ['CPU', 'CUDA', 'TENSORRT', 'WEBGPU', 'GPU'] as const;
export type Device = (typeof DEVICES)[number] | 'NONE';

/** How an answer came about; milliseconds, of the batch that carried the row. */
export interface ServedBy {
  device: Device;
  rung: Rung;
  queueMs: number;
  computeMs: number;
  batchSize: number;
  fallbackReason: string | null;
}

/** What a decision says about its model; card and hash are read from the registry when a query asks for them. */
export interface ModelReference {
  id: string;
  /** null: as the registry has it */
  stage: Stage | null;
  trainedAt: Date | null;
}

/** What every decision of the graph carries. */
export interface DecisionEnvelope {
  decisionId: string;
  model: ModelReference;
  decidedAt: Date;
  servedBy: ServedBy;
  /** null where the rung cannot explain, or nobody asked */
  attribution: Attribution | null;
}
