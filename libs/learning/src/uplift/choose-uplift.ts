import type { Measured } from '@sextant/artefacts';
import { crc32 } from '../metrics/crc32-split.js';
import { measuredQini, pairedQini } from './qini.js';
import { predictUplift, type UpliftModel } from './uplift-model.js';
import { takeUpliftRows, type UpliftRows } from './uplift-rows.js';

/** One way to learn effects. */
export interface UpliftLearner {
  name: string;
  fit: (data: UpliftRows) => Promise<UpliftModel>;
}

export interface UpliftChoiceOptions {
  seed: number;
  /** Parts of the rows that each learner is cross-fitted on; 3 when absent. */
  folds?: number;
  resamples?: number;
}

export interface UpliftChoice {
  learner: UpliftLearner;
  because: string;
  /** Cross-fitted Qini of every learner on the rows of the choice, in the order given. */
  tried: { learner: string; qini: Measured }[];
  /** Cross-fitted effects of the chosen learner, shape [n]. */
  effects: Float64Array;
}

/** Two-sided confidence of a difference between two learners. */
const LEVEL = 0.9;

/** Fold of row `id` among `folds`: crc32 of the decimal, so that anybody can repeat it. */
export function crossFitFold(id: number, folds: number, salt = ''): number {
  return crc32(`${salt}${id}`) % folds;
}

/** Effects of each row by a model that was fitted without the row's fold, shape [n]. */
export async function crossFitUplift(
  data: UpliftRows,
  folds: readonly number[],
  fit: (train: UpliftRows, fold: number) => Promise<UpliftModel>,
): Promise<Float64Array> {
  const effects = new Float64Array(data.treated.length);
  const all = Array.from(data.treated.keys());
  for (const fold of new Set(folds)) {
    const train = takeUpliftRows(
      data,
      all.filter((i) => folds[i] !== fold),
    );
    const held = all.filter((i) => folds[i] === fold);
    const model = await fit(train, fold);
    const predicted = predictUplift(model, takeUpliftRows(data, held).rows, data.columns);
    held.forEach((row, i) => {
      effects[row] = predicted[i] ?? 0;
    });
  }
  return effects;
}

/**
 * The simplest adequate learner: the first of the list, unless a later one's cross-fitted Qini is better beyond noise (paired
 * bootstrap over customers, the whole interval above 0). Learners come from simple to complex.
 *
 * @throws RangeError when there is no learner
 */
export async function chooseUpliftLearner(
  data: UpliftRows,
  learners: readonly UpliftLearner[],
  options: UpliftChoiceOptions,
): Promise<UpliftChoice> {
  const { seed, folds: count = 3, resamples = 200 } = options;
  const bootstrap = { seed, resamples, level: LEVEL };
  const folds = Array.from(data.treated, (_, i) => crossFitFold(i, count, 'inner/'));
  const tried: UpliftChoice['tried'] = [];
  let best: { learner: UpliftLearner; effects: Float64Array; because: string } | null = null;
  for (const learner of learners) {
    const effects = await crossFitUplift(data, folds, learner.fit);
    const ranked = { ...data, scores: effects };
    tried.push({ learner: learner.name, qini: measuredQini(ranked, bootstrap) });
    if (best === null) best = { learner, effects, because: `${learner.name} is the simplest` };
    else {
      const gain = pairedQini(ranked, best.effects, bootstrap);
      if (gain.low > 0)
        best = {
          learner,
          effects,
          because: `${learner.name} ranks better than ${best.learner.name} (${inWords(gain)})`,
        };
    }
  }
  if (best === null) throw new RangeError('there is no learner to choose from');
  const none = best.learner === learners[0] && learners.length > 1;
  return {
    ...best,
    because: none
      ? `${best.because}, and none of ${learners.length - 1} others ranks better beyond noise`
      : best.because,
    tried,
  };
}

function inWords({ value, low, high }: Measured): string {
  const each = [value, low, high].map((x) => (1000 * x).toFixed(2));
  return `Qini × 1000 by ${each[0]}, ${each[1]} to ${each[2]}`;
}
