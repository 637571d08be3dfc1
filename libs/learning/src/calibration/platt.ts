import { logit, sigmoid, softplus } from '../score/logistic.js';
import { minimise } from '../score/minimise.js';

/** probability = sigmoid(a · margin + b); a ≥ 0. */
export interface Platt {
  a: number;
  b: number;
}

/**
 * Platt scaling with smoothed targets, (positives + 1) / (positives + 2) and 1 / (negatives + 2), so that few rows or one class
 * never give 0 or 1. A margin that orders backwards or not at all is given a = 0: the rate for everyone.
 *
 * @param margins  log-odds of rows that the model was not fitted on, shape [n]
 * @param labels   0 or 1, shape [n]
 * @throws RangeError when the lengths differ, there is no row or a margin is not finite
 *
 * Source: Platt (1999), "Probabilistic outputs for support vector machines", in Advances in large margin classifiers.
 */
export function fitPlatt(margins: ArrayLike<number>, labels: ArrayLike<number>): Platt {
  const n = margins.length;
  if (n === 0 || n !== labels.length) throw new RangeError(`${n} margins for ${labels.length} labels`);
  if (!Array.from(margins).every(Number.isFinite)) throw new RangeError('every margin must be finite');
  let positives = 0;
  for (let i = 0; i < n; i++) positives += labels[i] ?? 0;
  const [high, low] = [(positives + 1) / (positives + 2), 1 / (n - positives + 2)];
  const { mean, deviation } = spread(margins);

  const [slope = 0, shift = 0] = minimise((point, gradient) => {
    const [a = 0, b = 0] = point;
    let [loss, byA, byB] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const x = ((margins[i] ?? 0) - mean) / deviation;
      const target = labels[i] === 1 ? high : low;
      const z = a * x + b;
      loss += (softplus(z) - target * z) / n;
      byA += ((sigmoid(z) - target) * x) / n;
      byB += (sigmoid(z) - target) / n;
    }
    gradient.set([byA, byB]);
    return loss;
  }, new Float64Array(2));
  if (slope <= 0) return { a: 0, b: logit((positives * high + (n - positives) * low) / n) };
  return { a: slope / deviation, b: shift - (slope * mean) / deviation };
}

export function applyPlatt({ a, b }: Platt, margin: number): number {
  return sigmoid(a * margin + b);
}

/**
 * Calibrated probability of each row by a scaling that was fitted on the other half of the rows (odd and even),
 * so that the loss of a calibrated model can be measured on the rows that calibrate it. Shape [n], n ≥ 2.
 */
export function crossFittedProbabilities(margins: Float64Array, labels: ArrayLike<number>): Float64Array {
  const half = (parity: number): Platt => {
    const mine = Array.from(margins.keys()).filter((i) => i % 2 === parity);
    return fitPlatt(
      mine.map((i) => margins[i] ?? 0),
      mine.map((i) => labels[i] ?? 0),
    );
  };
  const [even, odd] = [half(0), half(1)];
  return margins.map((margin, i) => applyPlatt(i % 2 === 0 ? odd : even, margin));
}

function spread(values: ArrayLike<number>): { mean: number; deviation: number } {
  let [mean, variance] = [0, 0];
  for (let i = 0; i < values.length; i++) mean += (values[i] ?? 0) / values.length;
  for (let i = 0; i < values.length; i++) variance += ((values[i] ?? 0) - mean) ** 2 / values.length;
  return { mean, deviation: Math.sqrt(variance) || 1 };
}
