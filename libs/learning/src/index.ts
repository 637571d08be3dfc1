export {
  type BootstrapOptions,
  bootstrap,
  measuredAuc,
  measuredMean,
  measuredRootMean,
  pairedDifference,
  quantile,
} from './metrics/bootstrap.js';
export {
  type ChallengeComparison,
  type ChallengeVerdict,
  type ComparedDecision,
  compareChampion,
} from './challenge/compare-champion.js';
export { type Bounds, MeanSequence } from './challenge/mean-sequence.js';
export { shareBounds } from './challenge/share-bounds.js';
export { crc32, isTestRow } from './metrics/crc32-split.js';
export {
  absoluteErrors,
  auc,
  type AucInput,
  brierScores,
  logLoss,
  logLosses,
  mae,
  mean,
  rmse,
  squaredErrors,
  weightedAuc,
} from './metrics/probability.js';
export { ndcgAtK, recallAtK } from './metrics/ranking.js';
export {
  type Random,
  randomInteger,
  randomNormal,
  randomPermutation,
  seededRandom,
} from './random/seeded-random.js';
export {
  leafOf,
  predictMargin,
  predictMargins,
  type Tree,
  type TreeEnsemble,
} from './trees/tree-ensemble.js';
export {
  categoricalView,
  type CategoricalColumn,
  type Cell,
  type ColumnTable,
  type NumericColumn,
  numericView,
  type RawTable,
  readNumber,
  type TableColumn,
  tableOfRecords,
  takeRows,
  toColumnTable,
} from './tabular/column-table.js';
export {
  columnOfFeature,
  encodedNames,
  encodedWidth,
  encodeTable,
  MISSING_CATEGORY,
} from './tabular/encode-table.js';
export {
  type FittedTableEncoder,
  fitTableEncoder,
  type TableEncoderOptions,
} from './tabular/fit-table-encoder.js';
export { LEAKAGE_AUC, singleFeatureAuc, SUSPICIOUS_AUC } from './tabular/leakage.js';
export { fitTargetLookups, type TargetLookup } from './tabular/target-lookup.js';
export { normalQuantile } from './calibration/normal-quantile.js';
export { applyPlatt, crossFittedProbabilities, fitPlatt, type Platt } from './calibration/platt.js';
export {
  type ReliabilityBin,
  reliabilityBins,
  scoreInterval,
  wilsonInterval,
} from './calibration/reliability.js';
export { type Band, bandOf, type Bands, chooseBands, percentileOf, scoreQuantiles } from './score/bands.js';
export {
  fitLogistic,
  linearMargins,
  type LogisticInput,
  type LogisticModel,
  logit,
  sigmoid,
} from './score/logistic.js';
export {
  planPrices,
  type PricePlan,
  type QuoteRules,
  type Rounding,
  type SeenPrices,
} from './price/price-plan.js';
export { chooseQuote, type GuardrailOutcome, type PriceQuote } from './price/quote-price.js';
export {
  centresOf,
  type DemandEffects,
  demandFamilyOf,
  type DemandModel,
  type DemandRow,
  demandTable,
  fitDemandModel,
  predictLogUnits,
  PRICE_COLUMN,
  PRODUCT_COLUMN,
} from './price/demand-model.js';
export { type DemandFamily, fitMixedModel, type GroupedRows, type MixedModel } from './price/mixed-model.js';
