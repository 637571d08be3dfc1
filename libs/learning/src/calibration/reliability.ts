import { normalQuantile } from './normal-quantile.js';

/** Rows with score ≤ `upTo` and above the bin before it; the last bin ends at 1. */
export interface ReliabilityBin {
  upTo: number;
  rows: number;
  positives: number;
}

/**
 * Counts by calibrated score in up to 20 bins of about equal size and at least 50 rows; equal scores share a bin.
 *
 * @param probabilities  shape [n], n ≥ 1
 * @param labels         0 or 1, shape [n]
 */
export function reliabilityBins(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
): ReliabilityBin[] {
  const n = probabilities.length;
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (probabilities[i] ?? 0) - (probabilities[j] ?? 0),
  );
  const size = Math.max(50, Math.ceil(n / 20));
  const bins: ReliabilityBin[] = [];
  let open: ReliabilityBin = { upTo: 0, rows: 0, positives: 0 };
  for (const [rank, i] of order.entries()) {
    const score = probabilities[i] ?? 0;
    const isTooFewLeft = n - rank < size;
    if (open.rows >= size && score > open.upTo && !isTooFewLeft) {
      bins.push(open);
      open = { upTo: 0, rows: 0, positives: 0 };
    }
    open = { upTo: score, rows: open.rows + 1, positives: open.positives + (labels[i] ?? 0) };
  }
  return [...bins, { ...open, upTo: 1 }];
}

/**
 * Interval of a rate. No rows give [0, 1].
 *
 * @param level  two-sided confidence in (0, 1)
 *
 * Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22(158).
 */
export function wilsonInterval(positives: number, rows: number, level: number): [number, number] {
  if (rows === 0) return [0, 1];
  const z = normalQuantile((1 + level) / 2);
  const rate = positives / rows;
  const centre = (rate + z ** 2 / (2 * rows)) / (1 + z ** 2 / rows);
  const half = (z / (1 + z ** 2 / rows)) * Math.sqrt((rate * (1 - rate)) / rows + z ** 2 / (4 * rows ** 2));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** Wilson interval of the bin that a score falls into, widened where needed so that it holds the score. */
export function scoreInterval(
  bins: readonly ReliabilityBin[],
  probability: number,
  level: number,
): [number, number] {
  const bin = bins.find(({ upTo }) => probability <= upTo) ?? bins.at(-1);
  if (bin === undefined) return [0, 1];
  const [low, high] = wilsonInterval(bin.positives, bin.rows, level);
  return [Math.min(low, probability), Math.max(high, probability)];
}
