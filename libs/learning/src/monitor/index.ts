export { analyseWindow, MIN_WINDOW_ROWS } from './analyse-window.js';
export { MIN_GROUP_ROWS } from './check-groups.js';
export { countChanges, type FeatureChanges, type SubjectRows } from './feature-changes.js';
export { buildReference, type ReferenceInput } from './build-reference.js';
export {
  ALARM_LEVELS,
  type FeatureMeasure,
  type JudgedDecisions,
  type WindowAnalysis,
  type WindowFinding,
  type WindowFindingKind,
  type WindowInput,
} from './window-analysis.js';
