/**
 * Weights by which both labels count the same in all: n / (2 · rows of the label). They move a margin by about a constant, which a
 * calibration takes back, so they matter for what a fit attends to and not for its probabilities.
 *
 * @param labels  0 or 1, shape [n]
 * @returns       shape [n], summing to n; all 1 where one label is absent
 *
 * Source: King and Zeng (2001), "Logistic regression in rare events data", Political Analysis 9(2).
 */
export function balancedWeights(labels: ArrayLike<number>): Float32Array {
  const n = labels.length;
  let positives = 0;
  for (let i = 0; i < n; i++) positives += labels[i] ?? 0;
  if (positives === 0 || positives === n) return new Float32Array(n).fill(1);
  return Float32Array.from({ length: n }, (_, i) => n / (2 * (labels[i] === 1 ? positives : n - positives)));
}
