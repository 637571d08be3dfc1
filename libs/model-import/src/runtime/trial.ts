import type { AdaptedModel, ScoreContract } from '@sextant/onnx';
import type { ImportCheck } from '../import-check.js';

/** What the process that tries a file is told. */
export interface TrialOrder {
  /** path of the file as it came */
  file: string;
  /** where the file with the signature of a score goes */
  adapted: string;
  contract: ScoreContract;
  sample: TrialSample;
  /** base64 as of the sample: the row of a customer of whom nothing is known */
  unknown: string;
}

export interface TrialSample {
  /** input of the model, base64 of float32 little-endian, row-major [rows, columns] */
  cells: string;
  /** probability that the tool itself gives for each row, before any calibration */
  expected: number[];
  /** largest absolute difference that is taken for rounding */
  tolerance: number;
}

/** What it found of a file that passed. */
export interface TrialResult {
  signature: Pick<AdaptedModel, 'opset' | 'inputs' | 'outputs' | 'source'>;
  producer: string;
  largestDifference: number;
  /** of the sample's rows, calibrated where the contract says so */
  probabilities: number[];
  /** milliseconds of 64 rows, the slower of the times but the slowest twentieth */
  batchMs: number;
  /** how much each column of the input moves the answer, mean absolute change; null where that took too long */
  moved: number[] | null;
}

/** Lines that the process writes, one after the other. */
export type TrialLine =
  | { kind: 'begins'; check: ImportCheck['name'] }
  | { kind: 'check'; check: ImportCheck }
  | { kind: 'done'; result: TrialResult };
