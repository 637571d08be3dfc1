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
