import {
  type BaseFitter,
  chooseInteractionPenalty,
  fitDrLearner,
  fitInteractionLogistic,
  fitSLearner,
  fitTLearner,
  fitXLearner,
  interactionUplift,
  linearBase,
  type UpliftLearner,
} from '@sextant/learning/uplift';

const NUISANCE = { l2: 1e-3, regressionL2: 1e-1 };

/** Learners from simple to complex; those over trees only where LightGBM is there. */
export function upliftLearners(trees: BaseFitter | null): UpliftLearner[] {
  const linear = linearBase(NUISANCE);
  const simple: UpliftLearner[] = [
    interactionLearner(null),
    { name: 'dr-learner over linear', fit: (data) => fitDrLearner(data, { nuisance: linear, base: linear }) },
  ];
  if (trees === null) return simple;
  return [
    ...simple,
    { name: 't-learner over lightgbm', fit: (data) => fitTLearner(data, trees) },
    { name: 's-learner over lightgbm', fit: (data) => fitSLearner(data, trees) },
    { name: 'x-learner over lightgbm', fit: (data) => fitXLearner(data, trees) },
    {
      name: 'dr-learner over lightgbm',
      fit: (data) => fitDrLearner(data, { nuisance: linear, base: trees }),
    },
  ];
}

/** @param l2  ridge penalty; null: chosen by cross-fitted log-loss on the rows of the fit */
function interactionLearner(l2: number | null): UpliftLearner {
  return {
    name: 'interaction-logistic',
    fit: async (data) =>
      interactionUplift(fitInteractionLogistic(data, { l2: l2 ?? chooseInteractionPenalty(data) })),
    tune: async (data) => interactionLearner(chooseInteractionPenalty(data)),
  };
}
