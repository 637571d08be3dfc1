export {
  measuredAveragePrecision,
  measuredLift,
  rocCurve,
  weightedAveragePrecision,
  weightedLift,
  type WeightedStatistic,
} from './classification.js';
