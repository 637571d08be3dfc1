export { fitEffectEncoder } from './effect-columns.js';
export { evaluateUplift, type UpliftEvaluation } from './evaluate-uplift.js';
export { lightGbmBase } from './lightgbm-base.js';
export {
  type ActionExample,
  type ActionTraining,
  trainActions,
  type TrainedActions,
} from './train-actions.js';
export { QINI_LEVEL, type TrainedUplift, trainUplift, type UpliftTraining } from './train-uplift.js';
export { upliftLearners } from './uplift-learners.js';
