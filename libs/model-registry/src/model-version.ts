import type { FairnessSlice, Gate, GateName, Measured, ModelCard, Task } from '@sextant/artefacts';

/** In the order in which a version comes into service; RETIRED answers nobody. */
export const STAGES = ['CANDIDATE', 'SHADOW', 'CANARY', 'LIVE', 'RETIRED'] as const;
export type Stage = (typeof STAGES)[number];

export type ModelOrigin = 'TRAINED' | 'IMPORTED';

/** One step of a version's life, kept for good. */
export interface StageChange {
  /** null: the version came into being */
  from: Stage | null;
  to: Stage;
  at: Date;
  /** a person's subject, or the part of the product that did it, e.g. `trainer` */
  by: string;
  reason: string | null;
  /** failed gates that somebody took upon himself; the reason says why */
  overridden: GateName[];
}

/** One published version as people and decisions refer to it; the files are in the model repository. */
export interface ModelVersion {
  /** `<model>@<version>` */
  id: string;
  tenantId: string;
  /** `<tenant>.<task>` */
  model: string;
  task: Task;
  version: number;
  stage: Stage;
  /** of the calls, in [0, 1], while SHADOW or CANARY; null otherwise */
  share: number | null;
  origin: ModelOrigin;
  trainedAt: Date;
  publishedAt: Date;
  onnxSha256: string;
  /** of the training rows in order; null for versions of before it was recorded */
  dataSha256: string | null;
  dataRows: number;
  /** of every random draw of the training; null for versions of before it was recorded */
  seed: number | null;
  metrics: Record<string, Measured>;
  baselineMetrics: Record<string, Measured>;
  card: ModelCard;
  /** as measured when the version was made; empty: never measured */
  gates: Gate[];
  /** oldest first */
  history: StageChange[];
  /** share of each feature in the explanations of the validation rows, in [0, 1], summing to 1; empty where not measured */
  importance: Record<string, number>;
  fairness: FairnessSlice[];
}

export function modelVersionId(model: string, version: number | string): string {
  return `${model}@${version}`;
}
