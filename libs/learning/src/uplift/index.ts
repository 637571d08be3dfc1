export { type BaseFitter, type BaseInput, linearBase } from './base-fitter.js';
export { type Imbalance, imbalances, sampleRatioP, SUSPICIOUS_P } from './balance.js';
export {
  applyUpliftCalibration,
  calibrateUplift,
  inversePropensityScores,
  meanEffect,
  type UpliftBin,
  upliftBins,
  type UpliftCalibration,
} from './calibrate-uplift.js';
export {
  chooseUpliftLearner,
  crossFitFold,
  crossFitUplift,
  meanLearner,
  type UpliftChoice,
  type UpliftChoiceOptions,
  type UpliftLearner,
} from './choose-uplift.js';
export {
  armModel,
  chooseInteractionPenalty,
  fitInteractionLogistic,
  type InteractionLogistic,
  interactionUplift,
} from './interaction-logistic.js';
export { doublyRobustScores, fitDrLearner, fitSLearner, fitTLearner, fitXLearner } from './meta-learners.js';
export {
  type Persuadability,
  type Quadrant,
  quadrantOf,
  type TargetingValue,
  targetingValue,
} from './policy.js';
export { pruneColumns } from './prune-columns.js';
export {
  measuredAuuc,
  measuredQini,
  pairedQini,
  qini,
  qiniCurve,
  type QiniPoint,
  type RankedExperiment,
  weightedAuuc,
  weightedQini,
} from './qini.js';
export {
  fixColumn,
  formMargins,
  formProbabilities,
  type ModelForm,
  predictUplift,
  type UpliftModel,
  type UpliftTerm,
} from './uplift-model.js';
export { checkUpliftRows, rowsOfArm, takeUpliftRows, type UpliftRows } from './uplift-rows.js';
