import {
  type BaseFitter,
  type BaseInput,
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

/** Least penalties of the linear base, a row; and how they grow with columns a row, outcomes being plain and effects faint. */
const LEAST = { l2: 1e-3, regressionL2: 1e-1 };
const CROWDED = { l2: 0.3, regressionL2: 20 };

/**
 * Logistic and ridge regression whose penalty follows what is asked of the rows: where noise is p columns' worth, the best ridge
 * penalty a row is about p σ² / (n |β|²). Source: Hoerl, Kennard and Baldwin (1975), "Ridge regression: some simulations",
 * Communications in Statistics 4(2).
 */
function crowdedLinearBase(): BaseFitter {
  const baseFor = ({ columns, targets }: BaseInput): BaseFitter => {
    const crowd = columns / targets.length;
    return linearBase({
      l2: Math.max(LEAST.l2, CROWDED.l2 * crowd),
      regressionL2: Math.max(LEAST.regressionL2, CROWDED.regressionL2 * crowd),
    });
  };
  return {
    name: 'linear',
    probability: (input) => baseFor(input).probability(input),
    regression: (input) => baseFor(input).regression(input),
  };
}

/** Learners from simple to complex; those over trees only where LightGBM is there. */
export function upliftLearners(trees: BaseFitter | null): UpliftLearner[] {
  const linear = crowdedLinearBase();
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
