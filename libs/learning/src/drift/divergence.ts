/**
 * Population stability index Σ (q − p) ln(q / p) of two histograms over the same bins, half a row added to each bin so that an empty
 * one costs no infinity. Rule of thumb: below 0.1 slight, up to 0.25 moderate, above severe.
 *
 * @returns  ≥ 0; 0 where either has no row
 *
 * Source: Siddiqi (2006), Credit Risk Scorecards, Wiley.
 */
export function populationStability(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) return 0;
  const bins = reference.length;
  let index = 0;
  for (let i = 0; i < bins; i++) {
    const p = ((reference[i] ?? 0) + 0.5) / (n + bins / 2);
    const q = ((current[i] ?? 0) + 0.5) / (m + bins / 2);
    index += (q - p) * Math.log(q / p);
  }
  return index;
}

/**
 * Jensen–Shannon distance (base 2) of two histograms: the root of the mean divergence of both from their middle.
 *
 * @returns  in [0, 1]; 0 where either has no row
 *
 * Source: Endres and Schindelin (2003), "A new metric for probability distributions", IEEE Transactions on Information Theory 49(7).
 */
export function jensenShannonDistance(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) return 0;
  let divergence = 0;
  for (let i = 0; i < reference.length; i++) {
    const [p, q] = [(reference[i] ?? 0) / n, (current[i] ?? 0) / m];
    const middle = (p + q) / 2;
    if (p > 0) divergence += (p * Math.log2(p / middle)) / 2;
    if (q > 0) divergence += (q * Math.log2(q / middle)) / 2;
  }
  return Math.sqrt(Math.max(0, divergence));
}

/** Largest difference of the cumulative shares at the bins' ends: a lower bound of the Kolmogorov–Smirnov distance. */
export function kolmogorovDistance(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const [n, m] = [total(reference), total(current)];
  if (n === 0 || m === 0) return 0;
  let [below, largest] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    below += (current[i] ?? 0) / m - (reference[i] ?? 0) / n;
    largest = Math.max(largest, Math.abs(below));
  }
  return largest;
}

/** Fewer rows than this expected in a bin, and the bin is joined with the next. */
const MIN_EXPECTED = 10;

/**
 * Pearson's chi-squared test that two histograms come from one distribution; sparse bins are joined with their neighbour.
 *
 * @returns  the statistic and its degrees of freedom, 0 where nothing can differ
 */
export function chiSquareOf(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): { statistic: number; degrees: number } {
  const [n, m] = [total(reference), total(current)];
  const smaller = Math.min(n, m) / (n + m);
  const joined: [number, number][] = [];
  let [a, b] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    a += reference[i] ?? 0;
    b += current[i] ?? 0;
    if ((a + b) * smaller < MIN_EXPECTED) continue;
    joined.push([a, b]);
    [a, b] = [0, 0];
  }
  const last = joined.at(-1);
  if (last === undefined) return { statistic: 0, degrees: 0 };
  last[0] += a;
  last[1] += b;
  let statistic = 0;
  for (const [observed, other] of joined) {
    const expected = ((observed + other) * n) / (n + m);
    const expectedOther = ((observed + other) * m) / (n + m);
    statistic += (observed - expected) ** 2 / expected + (other - expectedOther) ** 2 / expectedOther;
  }
  return { statistic, degrees: joined.length - 1 };
}

function total(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i] ?? 0;
  return sum;
}
