export {
  candidateColumns,
  candidateRows,
  type CandidateRows,
  type CandidateSource,
  type CandidateView,
  itemColumnsOf,
} from './candidate-rows.js';
export {
  chooseRecommender,
  type ChooseOptions,
  DENSE_ITEMS,
  type FitChoice,
  fitBlend,
  fitRecommender,
  type RecommenderChoice,
  recommenderScore,
} from './choose-recommender.js';
export {
  type DenseSimilarity,
  easeWeights,
  explainItem,
  type FactorSimilarity,
  type HistoryContribution,
  isDense,
  type ItemSimilarity,
  scoreItems,
  weightBetween,
  withPrior,
} from './ease.js';
export { type ColdItems, contentSimilarity, lendToColdItems, wordsOf } from './content.js';
export { composeSlate, type Diversity, type SlateItem, type SlateRules } from './compose-slate.js';
export { type ItemReason, type ReasonContext, reasonOfItem, reasonSentence } from './item-reason.js';
export { type AlsOptions, fitAls } from './als.js';
export { fitFactorSimilarity } from './factor-similarity.js';
export { evaluable, evaluateRanking, type RankingPolicy, type RankingQuality } from './evaluate-ranking.js';
export { fillHistoryRow, historyWeights, type WeighedHistory, weighHistory } from './history-weights.js';
export {
  type CustomerInteractions,
  type IndexedCustomer,
  type IndexedInteractions,
  indexInteractions,
  type Interaction,
  relevantItems,
  splitLater,
  splitRandom,
  type SplitCustomer,
} from './interactions.js';
export { fitItemModel, type ItemModel, type ItemModelSetting } from './item-models.js';
export { coOccurrence, nearCounts, nextCounts } from './pair-counts.js';
export { decayedPopularity, halfLivesFor, timeSpan } from './popularity.js';
export { rankSlate, type SlateOptions } from './rank-slate.js';
export { SlateRanker } from './slate-ranker.js';
export { type SourceQuestion, type StrongestSources, strongestSources } from './strongest-sources.js';
