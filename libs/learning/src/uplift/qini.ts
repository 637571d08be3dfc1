import type { Measured } from '@sextant/artefacts';
import { bootstrap, type BootstrapOptions } from '../metrics/bootstrap.js';

/** A ranking of the customers of an experiment. All of shape [n]. */
export interface RankedExperiment {
  /** 1 = treated, 0 = control. */
  treated: ArrayLike<number>;
  /** Outcome of each customer, usually 0 or 1. */
  outcomes: ArrayLike<number>;
  /** Whom to treat first: highest first, ties share one step of the curve. */
  scores: ArrayLike<number>;
  /** Weight of each customer, e.g. share of the arm / propensity where arms were not drawn with one probability; absent: all 1. */
  weights?: ArrayLike<number>;
}

/** Cumulative sums over the customers of the highest scores, one entry a step of the curve. */
interface Step {
  treated: number;
  control: number;
  treatedOutcomes: number;
  controlOutcomes: number;
}

/**
 * Additional outcomes of treating the best-ranked k customers of the treated arm:
 * g(k) = R_T(k) − R_C(k) · N_T(k) / N_C(k), and 0 while there is no control among them.
 *
 * Source: Radcliffe (2007), "Using control groups to target on predicted lift", Direct Marketing Analytics Journal: the Qini curve.
 */
function radcliffeGain({ treated, control, treatedOutcomes, controlOutcomes }: Step): number {
  return control > 0 ? treatedOutcomes - (controlOutcomes * treated) / control : 0;
}

/**
 * Additional outcomes of treating all of the best-ranked k customers of both arms:
 * u(k) = (R_T(k) / N_T(k) − R_C(k) / N_C(k)) · k, and 0 while an arm is absent among them.
 *
 * Source: Gutierrez and Gérardy (2016), "Causal inference and uplift modelling: a review of the literature", PMLR 67.
 */
function cumulativeGain({ treated, control, treatedOutcomes, controlOutcomes }: Step): number {
  return treated > 0 && control > 0
    ? (treatedOutcomes / treated - controlOutcomes / control) * (treated + control)
    : 0;
}

/**
 * Qini coefficient a customer: area between the curve of {@link radcliffeGain} over the share of customers and the straight line
 * of random targeting, divided by the number of customers of both arms. Random targeting is 0; with equal arms it is half of the
 * same area under {@link cumulativeGain}, since it counts what the treated arm gains.
 *
 * @returns  NaN when an arm is absent
 * @throws RangeError when lengths differ or a score is NaN
 */
export function qini(ranked: RankedExperiment): number {
  return weightedQini(ranked)(new Float64Array(ranked.treated.length).fill(1));
}

/** Sorts once and returns the Qini coefficient as a function of row multiplicities, shape [n]. */
export function weightedQini(ranked: RankedExperiment): (multiplicities: Float64Array) => number {
  const area = weightedArea(ranked, radcliffeGain);
  return (multiplicities) => {
    const { under, total } = area(multiplicities);
    return under - total / 2;
  };
}

/** Area under {@link cumulativeGain} over the share of customers, a customer; random targeting gives half the mean effect. */
export function weightedAuuc(ranked: RankedExperiment): (multiplicities: Float64Array) => number {
  const area = weightedArea(ranked, cumulativeGain);
  return (multiplicities) => area(multiplicities).under;
}

/** Qini coefficient with its bootstrap interval over customers. */
export function measuredQini(ranked: RankedExperiment, options: BootstrapOptions): Measured {
  return bootstrap(ranked.treated.length, weightedQini(ranked), options);
}

/** AUUC with its bootstrap interval over customers. */
export function measuredAuuc(ranked: RankedExperiment, options: BootstrapOptions): Measured {
  return bootstrap(ranked.treated.length, weightedAuuc(ranked), options);
}

/** Qini of `ranked` minus Qini of the same customers ranked by `others`, resampled together. */
export function pairedQini(
  ranked: RankedExperiment,
  others: ArrayLike<number>,
  options: BootstrapOptions,
): Measured {
  const [a, b] = [weightedQini(ranked), weightedQini({ ...ranked, scores: others })];
  return bootstrap(ranked.treated.length, (w) => a(w) - b(w), options);
}

export interface QiniPoint {
  /** Of the customers, best-ranked first, in [0, 1]. */
  share: number;
  /** Additional outcomes of the treated arm so far, a customer of both arms (Radcliffe). */
  gain: number;
}

/** The Qini curve at about `points` equal steps of the share, from (0, 0) to everybody. */
export function qiniCurve(ranked: RankedExperiment, points = 50): QiniPoint[] {
  const n = ranked.treated.length;
  const curve: QiniPoint[] = [{ share: 0, gain: 0 }];
  let total = 0;
  const steps: { weight: number; gain: number }[] = [];
  walk(ranked, new Float64Array(n).fill(1), (step, weight) => {
    total += weight;
    steps.push({ weight: total, gain: radcliffeGain(step) });
  });
  for (const [index, { weight, gain }] of steps.entries()) {
    const isLast = index === steps.length - 1;
    if (isLast || weight / total >= curve.length / points)
      curve.push({ share: weight / total, gain: gain / total });
  }
  return curve;
}

/** Area by the trapezoid rule and the last gain, both a customer. */
function weightedArea(
  ranked: RankedExperiment,
  gainOf: (step: Step) => number,
): (multiplicities: Float64Array) => { under: number; total: number } {
  checkLengths(ranked);
  const sorted = { ...ranked, order: descending(ranked.scores) };
  return (multiplicities) => {
    let [area, before, total] = [0, 0, 0];
    const last = walk(sorted, multiplicities, (step, weight) => {
      const gain = gainOf(step);
      area += ((before + gain) / 2) * weight;
      before = gain;
      total += weight;
    });
    if (last.treated === 0 || last.control === 0) return { under: Number.NaN, total: Number.NaN };
    return { under: area / total ** 2, total: before / total };
  };
}

/** Calls `visit` after each group of equal scores with the sums so far and the weight of the group. */
function walk(
  ranked: RankedExperiment & { order?: Uint32Array },
  multiplicities: Float64Array,
  visit: (step: Step, weight: number) => void,
): Step {
  const { treated, outcomes, scores, weights } = ranked;
  const order = ranked.order ?? descending(scores);
  const step: Step = { treated: 0, control: 0, treatedOutcomes: 0, controlOutcomes: 0 };
  for (let i = 0; i < order.length;) {
    const score = scores[order[i] ?? 0];
    let groupWeight = 0;
    for (; i < order.length && scores[order[i] ?? 0] === score; i++) {
      const row = order[i] ?? 0;
      const weight = (multiplicities[row] ?? 0) * (weights === undefined ? 1 : (weights[row] ?? 0));
      if (weight === 0) continue;
      groupWeight += weight;
      if (treated[row] === 1) {
        step.treated += weight;
        step.treatedOutcomes += weight * (outcomes[row] ?? 0);
      } else {
        step.control += weight;
        step.controlOutcomes += weight * (outcomes[row] ?? 0);
      }
    }
    if (groupWeight > 0) visit(step, groupWeight);
  }
  return step;
}

function descending(scores: ArrayLike<number>): Uint32Array {
  return Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0),
  );
}

function checkLengths({ treated, outcomes, scores, weights }: RankedExperiment): void {
  const n = treated.length;
  if (outcomes.length !== n || scores.length !== n || (weights !== undefined && weights.length !== n))
    throw new RangeError(`${n} arms, ${outcomes.length} outcomes and ${scores.length} scores`);
  for (let i = 0; i < n; i++) if (Number.isNaN(scores[i])) throw new RangeError(`score ${i} is NaN`);
}
