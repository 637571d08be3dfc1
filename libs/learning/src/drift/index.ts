export { chiSquareOf, jensenShannonDistance, kolmogorovDistance, populationStability } from './divergence.js';
export { type Binning, type ColumnCounts, NumericBinning } from './binning.js';
export {
  type ColumnDrift,
  type CountedWindow,
  DRIFT_LEVEL,
  type DriftReference,
  type DriftReport,
  type DriftTest,
  fitDriftReference,
  measureDrift,
  measureDriftOfCounts,
} from './measure-drift.js';
export { allInSecond, chiSquareTail, holm, kolmogorovTail } from './tail-probabilities.js';
