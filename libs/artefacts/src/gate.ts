import type { Measured } from './measured.js';

/** What a version must show before it may serve; the names are stable. */
export const GATE_NAMES = [
  'better-than-baseline',
  'calibration',
  'no-leak',
  'fairness',
  'onnx-parity',
  'latency',
  'complete-card',
  'not-worse-than-live',
] as const;
export type GateName = (typeof GATE_NAMES)[number];

/** One gate as it was measured for one version. */
export interface Gate {
  name: GateName;
  /** in words and figures, e.g. `at most 0.05` */
  required: string;
  observed: string;
  passed: boolean;
}

/** How a version treats one group of a protected attribute, on rows that no fit has seen. */
export interface FairnessSlice {
  attribute: string;
  group: string;
  /** rows of the group */
  n: number;
  /** share of the group that is selected */
  selectionRate: Measured;
  /** selection rate over that of the group selected most; null where the group is too small to be compared */
  disparateImpact: number | null;
  /** true positive rate less the highest of all groups, at most 0; null where the group is too small, or has no positive row */
  tprGap: number | null;
  /** mean probability less the rate of positives: above 0 the group is overrated */
  calibrationGap: number;
}
