export { evidenceOf } from './evidence-of.js';
export { cardGate, latencyGate, parityGate } from './file-gates.js';
export { liveGate } from './live-gate.js';
export type { HeldOutRows, ModelEvidence, OpenedVersion, ParityProbe } from './model-evidence.js';
export {
  baselineGate,
  calibrationGate,
  type Discrimination,
  discriminationGate,
  fairnessGate,
  fairnessSlices,
  type Gain,
  leakGate,
  notApplicable,
} from './quality-gates.js';
export { gapsBeyondChance, LEAST_GROUP_ROWS, type TraitAudit } from './group-gaps.js';
