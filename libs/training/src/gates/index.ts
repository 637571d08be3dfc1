export { evidenceOf } from './evidence-of.js';
export { cardGate, latencyGate, parityGate } from './file-gates.js';
export type { TraitAudit } from './group-gaps.js';
export { liveGate } from './live-gate.js';
export type { HeldOutRows, ModelEvidence, OpenedVersion, ParityProbe } from './model-evidence.js';
export {
  calibrationGate,
  type Discrimination,
  discriminationGate,
  fairnessGate,
  fairnessSlices,
  type Gain,
  leakGate,
} from './quality-gates.js';
