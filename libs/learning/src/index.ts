export {
  type BootstrapOptions,
  bootstrap,
  measuredAuc,
  measuredMean,
  measuredRootMean,
  pairedAucDifference,
  pairedDifference,
  quantile,
} from './metrics/bootstrap.js';
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
