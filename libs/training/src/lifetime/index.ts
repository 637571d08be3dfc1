export { chooseProcess, innerSplit, type ProcessChoice } from './choose-process.js';
export { evaluateLifetime, type LifetimeEvaluation } from './evaluate-lifetime.js';
export { type TrainedLifetime, trainLifetime } from './train-lifetime.js';
export {
  type LifetimeModelOptions,
  type LifetimeModelTraining,
  type TrainedLifetimeModel,
  trainLifetimeModel,
} from './train-lifetime-model.js';
