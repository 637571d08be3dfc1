export type { DemandChoice } from './choose-demand.js';
export { contextDefaults } from './context-defaults.js';
export { monitorPrice } from './monitor-price.js';
export type { FittedDemand } from './demand-candidate.js';
export { type HistoryOptions, type SeriesRow, withHistory } from './demand-history.js';
export { type DemandSplit, splitDemand } from './demand-split.js';
export { evaluatePrice, type PriceEvaluation, type PriceEvaluationOptions } from './evaluate-price.js';
export {
  type CausalElasticity,
  causalElasticity,
  type PriceEvidence,
  priceResponse,
} from './price-evidence.js';
export { priceWarnings } from './price-warnings.js';
export {
  curveLogUnits,
  type DemandForecast,
  type DemandTrainingOptions,
  trainDemand,
  type TrainedDemand,
  trainForecast,
} from './train-demand.js';
