/**
 * Rows for LightGBM: `rows` row-major, shape [n, columns], NaN = missing; labels and weights shape [n].
 * To rank, labels are grades (whole numbers from 0 to 30) and the rows of one query stand together.
 */
export interface LabelledRows {
  rows: Float32Array | Float64Array;
  labels: Float32Array;
  weights?: Float32Array;
  /** Rows of each query in their order, summing to n; needed by the objective `lambdarank` only. */
  group?: Int32Array;
}

export interface TrainRequest {
  kind: 'train';
  train: LabelledRows;
  columns: number;
  /** Rows that decide when to stop; null trains all rounds. */
  validation: LabelledRows | null;
  /** `key=value …` as LightGBM documents them. */
  parameters: string;
  rounds: number;
  /** Stop after this many rounds without a better validation loss. */
  patience: number;
}

export interface PredictRequest {
  kind: 'predict';
  model: string;
  rows: Float32Array | Float64Array;
  columns: number;
  /** Margins, shape [n]; or SHAP values with the base value last, shape [n, columns + 1]. */
  output: 'margin' | 'contributions';
}

export type LightGbmRequest = TrainRequest | PredictRequest;

export interface TrainedTrees {
  /** LightGBM's own model text, cut at the best round. */
  model: string;
  rounds: number;
  /** Validation loss at the best round (for `lambdarank` 1 − NDCG); null without validation rows. */
  validationLoss: number | null;
}

export type LightGbmReply =
  | { kind: 'ready' }
  | { kind: 'unavailable'; message: string }
  | { kind: 'failed'; message: string }
  | ({ kind: 'trained' } & TrainedTrees)
  | { kind: 'predicted'; values: Float64Array };
