export { chiSquareOf, jensenShannonDistance, kolmogorovDistance, populationStability } from './divergence.js';
export {
  type ColumnDrift,
  DRIFT_LEVEL,
  type DriftReference,
  type DriftReport,
  type DriftTest,
  fitDriftReference,
  measureDrift,
} from './measure-drift.js';
export { allInSecond, chiSquareTail, holm, kolmogorovTail } from './tail-probabilities.js';
