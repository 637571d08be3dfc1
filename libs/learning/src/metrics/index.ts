export {
  measuredAveragePrecision,
  measuredLift,
  rocCurve,
  weightedAveragePrecision,
  weightedLift,
  type WeightedStatistic,
} from './classification.js';
export { measuredMape, measuredWape, weightedMape, weightedWape } from './percentage-error.js';
