export {
  type ColumnPlan,
  MAX_CATEGORIES,
  planColumns,
  planScores,
  SketchPlan,
  type Slot,
} from './column-plan.js';
export { compareStreams, QuantileSketch, type StreamDifference } from './quantile-sketch.js';
export { planOfReference } from './reference-plan.js';
export { type BinCounts, TableSketch } from './table-sketch.js';
