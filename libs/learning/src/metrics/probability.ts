/** Labels are 0 or 1; weights are row multiplicities (absent: all 1), which is how the bootstrap reuses one sort. */
export interface AucInput {
  labels: ArrayLike<number>;
  scores: ArrayLike<number>;
}

/**
 * Area under the ROC curve: the probability that a random positive scores above a random negative, ties counting half.
 *
 * @returns  a value in [0, 1]; NaN when one class is absent
 * @throws RangeError when lengths differ or a score is NaN
 *
 * Source: Hanley and McNeil (1982), "The meaning and use of the area under a ROC curve", Radiology 143(1).
 */
export function auc(labels: ArrayLike<number>, scores: ArrayLike<number>): number {
  return weightedAuc({ labels, scores })(new Float64Array(labels.length).fill(1));
}

/** Sorts once and returns the AUC as a function of row weights, shape [n]. */
export function weightedAuc({ labels, scores }: AucInput): (weights: Float64Array) => number {
  checkSameLength(labels, scores);
  for (let i = 0; i < scores.length; i++)
    if (Number.isNaN(scores[i])) throw new RangeError(`score ${i} is NaN`);
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i).sort(
    (a, b) => (scores[a] ?? 0) - (scores[b] ?? 0),
  );
  return (weights) => {
    let [pairs, negatives, positives, i] = [0, 0, 0, 0];
    while (i < order.length) {
      const score = scores[order[i] ?? 0];
      let [tiedPositives, tiedNegatives] = [0, 0];
      for (; i < order.length && scores[order[i] ?? 0] === score; i++) {
        const row = order[i] ?? 0;
        if (labels[row] === 1) tiedPositives += weights[row] ?? 0;
        else tiedNegatives += weights[row] ?? 0;
      }
      pairs += tiedPositives * (negatives + tiedNegatives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
    }
    return positives === 0 || negatives === 0 ? Number.NaN : pairs / (positives * negatives);
  };
}

/**
 * Log-loss of each row, −ln of the probability given to what happened; probabilities are clipped to [1e-15, 1 − 1e-15].
 *
 * @returns  nats, shape [n]
 * @throws RangeError when lengths differ
 */
export function logLosses(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Float64Array {
  checkSameLength(labels, probabilities);
  return Float64Array.from({ length: labels.length }, (_, i) => {
    const p = Math.min(1 - 1e-15, Math.max(1e-15, probabilities[i] ?? 0));
    return -Math.log(labels[i] === 1 ? p : 1 - p);
  });
}

/** Squared distance of probability and label, row by row; its mean is the Brier score. Source: Brier (1950), Monthly Weather Review 78(1). */
export function brierScores(labels: ArrayLike<number>, probabilities: ArrayLike<number>): Float64Array {
  return squaredErrors(labels, probabilities);
}

/** Squared errors, shape [n]; the root of their mean is the RMSE. */
export function squaredErrors(actual: ArrayLike<number>, predicted: ArrayLike<number>): Float64Array {
  checkSameLength(actual, predicted);
  return Float64Array.from(
    { length: actual.length },
    (_, i) => ((actual[i] ?? 0) - (predicted[i] ?? 0)) ** 2,
  );
}

/** Absolute errors, shape [n]; their mean is the MAE. */
export function absoluteErrors(actual: ArrayLike<number>, predicted: ArrayLike<number>): Float64Array {
  checkSameLength(actual, predicted);
  return Float64Array.from({ length: actual.length }, (_, i) =>
    Math.abs((actual[i] ?? 0) - (predicted[i] ?? 0)),
  );
}

/** Arithmetic mean; NaN for no values. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
}

export function logLoss(labels: ArrayLike<number>, probabilities: ArrayLike<number>): number {
  return mean(logLosses(labels, probabilities));
}

export function rmse(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  return Math.sqrt(mean(squaredErrors(actual, predicted)));
}

export function mae(actual: ArrayLike<number>, predicted: ArrayLike<number>): number {
  return mean(absoluteErrors(actual, predicted));
}

function checkSameLength(a: ArrayLike<number>, b: ArrayLike<number>): void {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
}
