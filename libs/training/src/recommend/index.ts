export { describeItemModel, describeRecommender, reasonOfChoice } from './describe-recommender.js';
export { evaluateRecommend, type RecommendEvaluation, warningsOf } from './evaluate-recommend.js';
export {
  measureRecommender,
  type MeasuredRecommender,
  type MeasureRecommenderOptions,
  metricsOf,
} from './measure-recommender.js';
export { LAST_FIFTH, parseSplitRule, splitBy, type SplitRule } from './split-rule.js';
export {
  MAX_ITEMS,
  type RecommenderTrainingOptions,
  trainRecommender,
  type TrainedRecommender,
} from './train-recommender.js';
