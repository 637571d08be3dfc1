export { type FairnessSlice, type Gate, GATE_NAMES, type GateName } from './gate.js';
export { type LifetimeSpec, lifetimeSpec } from './lifetime-spec.js';
export {
  type Datatype,
  DATATYPES,
  type ImportedFrom,
  importedFrom,
  type Manifest,
  manifest,
  type ModelCard,
  modelCard,
  modelName,
  type PriceSpec,
  type RecommendSpec,
  type Task,
  TASKS,
} from './manifest.js';
export { type Measured, measured } from './measured.js';
export {
  MONITOR_FILE,
  type MonitoringReference,
  monitoringReference,
  type ReferenceFeature,
  type ReferenceScore,
} from './monitoring-reference.js';
export { ModelDirectory } from './model-directory.js';
export {
  completeManifest,
  isModelName,
  type ManifestDraft,
  type ModelEntry,
  type ModelRepository,
  parseManifest,
  readProvenFiles,
  refuseUsed,
  sharedBuffer,
  type StoredVersion,
  type VersionMark,
} from './model-repository.js';
export { type ScoreSpec, scoreSpec, type ScoreTask } from './score-spec.js';
export { DEFAULT_SERVING, parseServingConfig, type ServingConfig, servingConfig } from './serving.js';
export { type SessionSpec, sessionSpec } from './session-spec.js';
export { type ColumnEncoding, columnEncoding, type TableEncoding, tableEncoding } from './table-encoding.js';
export { type UpliftSpec, upliftSpec } from './uplift-spec.js';
