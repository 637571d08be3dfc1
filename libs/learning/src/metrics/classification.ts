import type { Measured } from '@sextant/artefacts';
import { bootstrap, type BootstrapOptions } from './bootstrap.js';
import type { AucInput } from './probability.js';

/** A figure as a function of row weights (multiplicities), shape [n], which is how the bootstrap reuses one sort. */
export type WeightedStatistic = (weights: Float64Array) => number;

/**
 * Average precision, the area under the precision-recall curve as a sum over thresholds: Σ (recall step) × precision;
 * equal scores share one threshold.
 *
 * @returns  a function of weights with values in [0, 1]; NaN where no positive has weight
 * @throws RangeError when lengths differ
 *
 * Source: Davis and Goadrich (2006), "The relationship between precision-recall and ROC curves", ICML.
 */
export function weightedAveragePrecision(input: AucInput): WeightedStatistic {
  const { labels, scores } = input;
  const order = descending(input);
  return (weights) => {
    let [found, taken, area, i] = [0, 0, 0, 0];
    while (i < order.length) {
      const score = scores[order[i] ?? 0];
      let tiedPositives = 0;
      for (; i < order.length && scores[order[i] ?? 0] === score; i++) {
        const row = order[i] ?? 0;
        const weight = weights[row] ?? 0;
        taken += weight;
        if (labels[row] === 1) tiedPositives += weight;
      }
      found += tiedPositives;
      if (taken > 0) area += tiedPositives * (found / taken);
    }
    return found === 0 ? Number.NaN : area / found;
  };
}

/**
 * Lift: the positive rate among the highest-scored `share` of rows over the rate of all. Where the share ends among equal scores,
 * each of them counts in part.
 *
 * @param share  in (0, 1]
 * @returns      a function of weights with values ≥ 0; NaN where no positive has weight
 * @throws RangeError when lengths differ or the share is outside (0, 1]
 */
export function weightedLift(input: AucInput, share: number): WeightedStatistic {
  if (!(share > 0 && share <= 1)) throw new RangeError(`share must be in (0, 1], got ${share}`);
  const { labels, scores } = input;
  const order = descending(input);
  return (weights) => {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const positives = weights.reduce((sum, weight, i) => sum + (labels[i] === 1 ? weight : 0), 0);
    let [left, found, i] = [share * total, 0, 0];
    while (i < order.length && left > 0) {
      const score = scores[order[i] ?? 0];
      let [tied, tiedPositives] = [0, 0];
      for (; i < order.length && scores[order[i] ?? 0] === score; i++) {
        const row = order[i] ?? 0;
        tied += weights[row] ?? 0;
        if (labels[row] === 1) tiedPositives += weights[row] ?? 0;
      }
      if (tied === 0) continue;
      found += tiedPositives * Math.min(1, left / tied);
      left -= tied;
    }
    return positives === 0 ? Number.NaN : found / share / positives;
  };
}

/** Points (false positive rate, true positive rate) of the ROC curve at about `points` thresholds, from (0, 0) to (1, 1). */
export function rocCurve(input: AucInput, points = 100): [number, number][] {
  const { labels, scores } = input;
  const order = descending(input);
  const positives = Array.from(order).filter((row) => labels[row] === 1).length;
  const negatives = order.length - positives;
  const every = Math.max(1, Math.floor(order.length / points));
  const curve: [number, number][] = [[0, 0]];
  let [found, wrong] = [0, 0];
  for (const [i, row] of order.entries()) {
    if (labels[row] === 1) found += 1;
    else wrong += 1;
    const isLast = i === order.length - 1;
    const isTied = !isLast && scores[row] === scores[order[i + 1] ?? 0];
    if (isLast || (!isTied && (i + 1) % every === 0)) {
      curve.push([wrong / Math.max(1, negatives), found / Math.max(1, positives)]);
    }
  }
  return curve;
}

export function measuredAveragePrecision(input: AucInput, options: BootstrapOptions): Measured {
  return bootstrap(input.labels.length, weightedAveragePrecision(input), options);
}

/** @param share  of the rows, in (0, 1] */
export function measuredLift(input: AucInput, share: number, options: BootstrapOptions): Measured {
  return bootstrap(input.labels.length, weightedLift(input, share), options);
}

function descending({ labels, scores }: AucInput): Uint32Array {
  if (labels.length !== scores.length)
    throw new RangeError(`lengths differ: ${labels.length} and ${scores.length}`);
  return Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b,
  );
}
