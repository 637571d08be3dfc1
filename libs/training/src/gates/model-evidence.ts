import type { FairnessSlice, Gate, Manifest } from '@sextant/artefacts';
import type { ColumnTable } from '@sextant/learning';

/** Rows and what the fitted model answers to them: what the published file is held against. */
export interface ParityProbe {
  /** of the model's only input, row-major, shape [rows, columns] */
  input: Float32Array | Float64Array;
  rows: number;
  /** of the first output, row-major; NaN must be answered by NaN */
  expected: ArrayLike<number>;
  /** largest difference that is allowed: absolute, or relative to values above 1 */
  tolerance: number;
}

/** Rows of a score that no fit has seen, to be answered by the live version as well. */
export interface HeldOutRows {
  table: ColumnTable;
  labels: Uint8Array;
  /** when the outcome of each row was known, milliseconds since 1970 */
  knownAt: Float64Array;
  /** log-loss of the new version on each row */
  losses: Float64Array;
}

/** What a training knows of its model besides the files; gates are made of it. */
export interface ModelEvidence {
  /** measured while the model was made: better-than-baseline, calibration, no-leak, fairness */
  gates: Gate[];
  probe: ParityProbe;
  /** by which two versions of the task are compared; one of the manifest's metrics */
  headline: { metric: string; higherIsBetter: boolean };
  /** shares in [0, 1] by feature; empty where not measured */
  importance: Record<string, number>;
  fairness: FairnessSlice[];
  heldOut: HeldOutRows | null;
}

/** A version of the model repository, as far as gates look into it. */
export interface OpenedVersion {
  manifest: Manifest;
  onnx: Uint8Array;
}
