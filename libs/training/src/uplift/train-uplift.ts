import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  applyUpliftCalibration,
  calibrateUplift,
  chooseUpliftLearner,
  checkUpliftRows,
  crossFitFold,
  crossFitUplift,
  linearBase,
  meanEffect,
  measuredAuuc,
  measuredQini,
  pairedQini,
  predictUplift,
  takeUpliftRows,
  type UpliftBin,
  upliftBins,
  type UpliftLearner,
  type UpliftModel,
  type UpliftRows,
} from '@sextant/learning/uplift';

export interface UpliftTraining {
  data: UpliftRows;
  /** Number of each row, which decides its fold (crc32 of the decimal modulo 5); the position when absent. */
  ids?: ArrayLike<number>;
  /** From simple to complex. */
  learners: readonly UpliftLearner[];
  seed: number;
}

/** What was learnt about one action, all figures cross-fitted: no row is ranked by a model or a choice that has seen it. */
export interface TrainedUplift {
  /** Fitted on all rows and calibrated; served only when `refused` is null. */
  model: UpliftModel;
  because: string;
  /** Why no model is adopted; null when one is. */
  refused: string | null;
  ate: Measured;
  qini: Measured;
  auuc: Measured;
  /** Of ranking by the plain probability of the outcome. */
  response: { qini: Measured; auuc: Measured };
  tried: { learner: string; qini: number }[];
  /** Shape [n]: what ranks the customers, and the same calibrated to the size of the effect. */
  scores: Float64Array;
  effects: Float64Array;
  responseScores: Float64Array;
  reliability: UpliftBin[];
}

const FOLDS = 5;
const MIN_OUTCOMES_OF_AN_ARM = 50;

/**
 * Several learners are tried, so a bound at the usual 5 % would find one that "beats random" too often: 1 % a side is what
 * Bonferroni leaves for five.
 */
export const QINI_LEVEL = 0.98;

/**
 * Chooses and fits a model of an action's effect, and measures it by 5-fold cross-fitting in which every fold repeats the whole
 * choice on its own training rows. Adopted only where it beats random targeting (the lower bound of its Qini is above 0) and
 * ranks no worse than a plain response model, which needs no experiment.
 *
 * @throws DomainError DATA_INSUFFICIENT when an arm has fewer than 50 customers with or without the outcome
 */
export async function trainUplift(training: UpliftTraining): Promise<TrainedUplift> {
  const { data, seed } = training;
  checkUpliftRows(data);
  checkOutcomes(data);
  const crossFitted = await crossFit(training);
  const { scores, responseScores, effects } = crossFitted;
  const choice = await chooseUpliftLearner(data, training.learners, { seed });
  const fitted = await choice.learner.fit(data);
  const weights = armWeights(data);
  const options = { seed, level: QINI_LEVEL };
  const ranked = { ...data, scores, weights };
  const byResponse = { ...ranked, scores: responseScores };
  const qini = measuredQini(ranked, options);
  const response = { qini: measuredQini(byResponse, options), auuc: measuredAuuc(byResponse, options) };
  const gain = pairedQini(ranked, responseScores, options);
  return {
    model: applyUpliftCalibration(fitted, calibrateUplift(data, scores)),
    because: choice.because,
    refused: refusal({ qini, response: response.qini, gain }),
    ate: { ...withoutError(meanEffect(data, { level: 0.95 })), level: 0.95 },
    qini,
    auuc: measuredAuuc(ranked, options),
    response,
    tried: choice.tried,
    scores,
    effects,
    responseScores,
    reliability: upliftBins(data, effects),
  };
}

interface CrossFitted {
  scores: Float64Array;
  effects: Float64Array;
  responseScores: Float64Array;
}

/** Three rankings of the same folds: by the chosen learner as it is, the same calibrated inside the fold, and by response. */
async function crossFit({ data, ids, learners, seed }: UpliftTraining): Promise<CrossFitted> {
  const folds = Array.from(data.treated, (_, i) => crossFitFold(ids?.[i] ?? i, FOLDS));
  const models = new Map<number, { raw: UpliftModel; calibrated: UpliftModel }>();
  const scores = await crossFitUplift(data, folds, async (train, fold) => {
    const choice = await chooseUpliftLearner(train, learners, { seed });
    const raw = await choice.learner.fit(train);
    models.set(fold, {
      raw,
      calibrated: applyUpliftCalibration(raw, calibrateUplift(train, choice.effects)),
    });
    return raw;
  });
  const effects = new Float64Array(scores.length);
  for (const [fold, { calibrated }] of models) {
    const held = folds.flatMap((each, i) => (each === fold ? [i] : []));
    const predicted = predictUplift(calibrated, takeUpliftRows(data, held).rows, data.columns);
    held.forEach((row, i) => (effects[row] = predicted[i] ?? 0));
  }
  const responseScores = await crossFitUplift(data, folds, responseModel);
  return { scores, effects, responseScores };
}

/** The probability of the outcome whatever the arm: what a team without an experiment would rank by. */
async function responseModel({ rows, columns, outcomes }: UpliftRows): Promise<UpliftModel> {
  const base = linearBase({ l2: 1e-3, regressionL2: 1e-1 });
  const form = await base.probability({ rows, columns, targets: outcomes });
  return { learner: 'response model', offset: 0, terms: [{ weight: 1, head: 'sigmoid', form }] };
}

/** Share of the arm over the propensity of the row: 1 where one propensity holds for all. */
function armWeights({ treated, propensity }: UpliftRows): Float64Array {
  const mean = propensity.reduce((sum, p) => sum + p, 0) / propensity.length;
  return propensity.map((p, i) => (treated[i] === 1 ? mean / p : (1 - mean) / (1 - p)));
}

/** To be adopted a model must beat both what costs nothing (lots) and what needs no experiment (a response model). */
function refusal({
  qini,
  response,
  gain,
}: {
  qini: Measured;
  response: Measured;
  gain: Measured;
}): string | null {
  if (qini.low > 0 && gain.value > 0) return null;
  const figure = ({ value, low, high }: Measured): string =>
    `${thousandth(value)} (${thousandth(low)} to ${thousandth(high)})`;
  const what =
    qini.low > 0
      ? 'no model beats random targeting by more than a plain response model does'
      : 'no model beats random targeting';
  return `${what}: cross-fitted Qini × 1000 ${figure(qini)}, of the response model ${figure(response)}`;
}

const thousandth = (value: number): string => (1000 * value).toFixed(2);

function withoutError({ value, low, high }: ReturnType<typeof meanEffect>): Omit<Measured, 'level'> {
  return { value, low, high };
}

function checkOutcomes({ treated, outcomes }: UpliftRows): void {
  for (const [arm, name] of [
    [1, 'treated'],
    [0, 'control'],
  ] as const) {
    const own = outcomes.filter((_, i) => treated[i] === arm);
    const positives = own.reduce((sum, y) => sum + y, 0);
    const rarer = Math.min(positives, own.length - positives);
    if (rarer < MIN_OUTCOMES_OF_AN_ARM)
      throw new DomainError(
        'DATA_INSUFFICIENT',
        `of ${own.length} ${name} customers ${positives} have the outcome; effects need at least ${MIN_OUTCOMES_OF_AN_ARM} with and without it in each arm`,
      );
  }
}
