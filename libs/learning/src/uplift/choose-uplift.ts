import type { Measured } from '@sextant/artefacts';
import { crc32 } from '../metrics/crc32-split.js';
import { pairedQini, qini } from './qini.js';
import { predictUplift, type UpliftModel } from './uplift-model.js';
import { takeUpliftRows, type UpliftRows } from './uplift-rows.js';

/** One way to learn effects. */
export interface UpliftLearner {
  name: string;
  fit: (data: UpliftRows) => Promise<UpliftModel>;
  /** The same with its settings chosen on these rows, so that they are not chosen anew in every fit; absent: has none. */
  tune?: (data: UpliftRows) => Promise<UpliftLearner>;
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
  tried: { learner: string; qini: number }[];
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
  return crossFitParts(data, partsOf(data, folds), fit);
}

interface Part {
  fold: number;
  train: UpliftRows;
  held: number[];
  heldRows: Float32Array;
}

/** Made once for all learners, so that what they share (the scores of DR-learners) is found once. */
function partsOf(data: UpliftRows, folds: readonly number[]): Part[] {
  const all = Array.from(data.treated.keys());
  return [...new Set(folds)].map((fold) => {
    const held = all.filter((i) => folds[i] === fold);
    const train = takeUpliftRows(
      data,
      all.filter((i) => folds[i] !== fold),
    );
    return { fold, train, held, heldRows: takeUpliftRows(data, held).rows };
  });
}

async function crossFitParts(
  data: UpliftRows,
  parts: readonly Part[],
  fit: (train: UpliftRows, fold: number) => Promise<UpliftModel>,
): Promise<Float64Array> {
  const effects = new Float64Array(data.treated.length);
  for (const { fold, train, held, heldRows } of parts) {
    const predicted = predictUplift(await fit(train, fold), heldRows, data.columns);
    held.forEach((row, i) => {
      effects[row] = predicted[i] ?? 0;
    });
  }
  return effects;
}

/**
 * Starts with the simplest adequate learner: the first of the list, unless a later one's cross-fitted Qini is better beyond noise
 * (paired bootstrap over customers, the whole interval above 0). Then takes the mean with the one other learner that raises the
 * cross-fitted Qini most, if any does: effects are small beside the noise of the outcomes, and two learners that err differently
 * err less together. Learners come from simple to complex.
 *
 * @throws RangeError when there is no learner
 *
 * Source of the second step: Caruana et al. (2004), "Ensemble selection from libraries of models", ICML.
 */
export async function chooseUpliftLearner(
  data: UpliftRows,
  learners: readonly UpliftLearner[],
  options: UpliftChoiceOptions,
): Promise<UpliftChoice> {
  const folds = Array.from(data.treated, (_, i) => crossFitFold(i, options.folds ?? 3, 'inner/'));
  const parts = partsOf(data, folds);
  const candidates: Candidate[] = [];
  for (const each of learners) {
    const learner = (await each.tune?.(data)) ?? each;
    const effects = await crossFitParts(data, parts, learner.fit);
    candidates.push({ learner, effects, qini: qini({ ...data, scores: effects }) });
  }
  const first = simplestAdequate(data, candidates, options);
  const best = withCompanion(data, first.candidate, candidates);
  const tried = candidates.map((candidate) => ({ learner: candidate.learner.name, qini: candidate.qini }));
  if (best === null)
    return {
      learner: first.candidate.learner,
      effects: first.candidate.effects,
      because: first.because,
      tried,
    };
  const gain = `${thousandth(best.qini)} against ${thousandth(first.candidate.qini)}`;
  return {
    learner: best.learner,
    effects: best.effects,
    because: `${first.because}; its mean with ${best.companion} has a higher Qini × 1000 (${gain})`,
    tried,
  };
}

interface Candidate {
  learner: UpliftLearner;
  effects: Float64Array;
  qini: number;
}

function simplestAdequate(
  data: UpliftRows,
  candidates: readonly Candidate[],
  { seed, resamples = 100 }: UpliftChoiceOptions,
): { candidate: Candidate; because: string } {
  const [simplest, ...others] = candidates;
  if (simplest === undefined) throw new RangeError('there is no learner to choose from');
  let chosen = simplest;
  let because = `${simplest.learner.name} is the simplest of ${candidates.length} learners, and no other ranks better beyond noise`;
  for (const other of others) {
    if (other.qini <= chosen.qini) continue;
    const ranked = { ...data, scores: other.effects };
    const gain = pairedQini(ranked, chosen.effects, { seed, resamples, level: LEVEL });
    if (gain.low <= 0) continue;
    because = `${other.learner.name} ranks better than ${chosen.learner.name} (${inWords(gain)})`;
    chosen = other;
  }
  return { candidate: chosen, because };
}

function withCompanion(
  data: UpliftRows,
  first: Candidate,
  candidates: readonly Candidate[],
): (Candidate & { companion: string }) | null {
  let best: (Candidate & { companion: string }) | null = null;
  for (const { learner, effects } of candidates) {
    if (learner === first.learner) continue;
    const mean = first.effects.map((effect, i) => (effect + (effects[i] ?? 0)) / 2);
    const value = qini({ ...data, scores: mean });
    if (value <= (best?.qini ?? first.qini)) continue;
    const joined = meanLearner(first.learner, learner);
    best = { learner: joined, effects: mean, qini: value, companion: learner.name };
  }
  return best;
}

/** Effects are the mean of two learners' effects. */
export function meanLearner(a: UpliftLearner, b: UpliftLearner): UpliftLearner {
  const name = `mean of ${a.name} and ${b.name}`;
  const fit = async (data: UpliftRows): Promise<UpliftModel> => {
    const [first, second] = [await a.fit(data), await b.fit(data)];
    return {
      learner: name,
      offset: (first.offset + second.offset) / 2,
      terms: [...first.terms, ...second.terms].map((term) => ({ ...term, weight: term.weight / 2 })),
    };
  };
  return { name, fit };
}

const thousandth = (value: number): string => (1000 * value).toFixed(2);

function inWords({ value, low, high }: Measured): string {
  const each = [value, low, high].map(thousandth);
  return `Qini × 1000 by ${each[0]}, ${each[1]} to ${each[2]}`;
}
