import { normalQuantile } from '../calibration/normal-quantile.js';
import type { UpliftModel } from './uplift-model.js';
import type { UpliftRows } from './uplift-rows.js';

/** Observed effect of the customers whose predicted effect is ≤ `upTo` and above the bin before; the last bin has no end. */
export interface UpliftBin {
  upTo: number;
  low: number;
  value: number;
  high: number;
}

/** Calibrated effect = mean + slope · (predicted − centre). */
export interface UpliftCalibration {
  mean: number;
  centre: number;
  slope: number;
}

/**
 * Best linear predictor of the effect given the cross-fitted one: least squares of the inverse-propensity score
 * Y T / e − Y (1 − T) / (1 − e) on the predicted effect, the slope kept within [0, 1] so that a calibration never adds spread.
 *
 * @param effects  cross-fitted, shape [n]
 *
 * Source: Chernozhukov et al. (2018), "Generic machine learning inference on heterogeneous treatment effects", NBER 24678.
 */
export function calibrateUplift(data: UpliftRows, effects: ArrayLike<number>): UpliftCalibration {
  const scores = inversePropensityScores(data);
  const n = scores.length;
  let [centre, mean] = [0, 0];
  for (let i = 0; i < n; i++) {
    centre += (effects[i] ?? 0) / n;
    mean += (scores[i] ?? 0) / n;
  }
  let [spread, together] = [0, 0];
  for (let i = 0; i < n; i++) {
    const distance = (effects[i] ?? 0) - centre;
    spread += distance ** 2;
    together += distance * ((scores[i] ?? 0) - mean);
  }
  return { mean, centre, slope: spread > 0 ? Math.min(1, Math.max(0, together / spread)) : 0 };
}

/** The model whose answers are calibrated. */
export function applyUpliftCalibration(
  model: UpliftModel,
  { mean, centre, slope }: UpliftCalibration,
): UpliftModel {
  return {
    ...model,
    offset: mean + slope * (model.offset - centre),
    terms: model.terms.map((term) => ({ ...term, weight: term.weight * slope })),
  };
}

/** Y T / e − Y (1 − T) / (1 − e), shape [n]: its mean over any group is that group's mean effect. */
export function inversePropensityScores({ treated, outcomes, propensity }: UpliftRows): Float64Array {
  return Float64Array.from(treated, (arm, i) => {
    const [y, e] = [outcomes[i] ?? 0, propensity[i] ?? 0.5];
    return arm === 1 ? y / e : -y / (1 - e);
  });
}

/**
 * Observed effects by predicted effect in up to `bins` bins of about equal size, ascending; equal predictions share a bin.
 * Interval by the normal approximation of the difference of two means.
 *
 * @param level  two-sided confidence in (0, 1)
 */
export function upliftBins(
  data: UpliftRows,
  effects: ArrayLike<number>,
  { bins = 10, level = 0.9 }: { bins?: number; level?: number } = {},
): UpliftBin[] {
  const order = Array.from(data.treated.keys()).sort((a, b) => (effects[a] ?? 0) - (effects[b] ?? 0));
  const size = Math.max(1, Math.ceil(order.length / bins));
  const groups: number[][] = [];
  for (const row of order) {
    const open = groups.at(-1);
    const last = open?.at(-1);
    const isTied = last !== undefined && effects[last] === effects[row];
    if (open !== undefined && (open.length < size || isTied)) open.push(row);
    else groups.push([row]);
  }
  return groups.map((rows) => ({
    upTo: effects[rows.at(-1) ?? 0] ?? 0,
    ...meanEffect(data, { rows, level }),
  }));
}

/**
 * Difference of the arms' mean outcomes with its interval; [−1, 1] where an arm is absent.
 *
 * @param rows  absent: all
 */
export function meanEffect(
  { treated, outcomes, propensity }: UpliftRows,
  { rows, level = 0.9 }: { rows?: readonly number[]; level?: number } = {},
): { value: number; low: number; high: number; standardError: number } {
  const sums = [arm(), arm()] as const;
  for (const i of rows ?? treated.keys()) {
    const [e, y] = [propensity[i] ?? 0.5, outcomes[i] ?? 0];
    const sum = sums[treated[i] === 1 ? 1 : 0];
    const weight = treated[i] === 1 ? 1 / e : 1 / (1 - e);
    sum.weight += weight;
    sum.squared += weight ** 2;
    sum.outcomes += weight * y;
  }
  const [control, acted] = sums;
  if (control.weight === 0 || acted.weight === 0) return { value: 0, low: -1, high: 1, standardError: 1 };
  const value = acted.outcomes / acted.weight - control.outcomes / control.weight;
  const standardError = Math.sqrt(varianceOfMean(acted) + varianceOfMean(control));
  const half = normalQuantile((1 + level) / 2) * standardError;
  return { value, low: value - half, high: value + half, standardError };
}

interface ArmSums {
  weight: number;
  squared: number;
  outcomes: number;
}

const arm = (): ArmSums => ({ weight: 0, squared: 0, outcomes: 0 });

/** Of a rate under weights, by the effective sample size; half an outcome is added to each side, so that 0 of 5 is not certain. */
function varianceOfMean({ weight, squared, outcomes }: ArmSums): number {
  const effective = weight ** 2 / squared;
  const rate = ((outcomes / weight) * effective + 0.5) / (effective + 1);
  return (rate * (1 - rate)) / effective;
}
