import type { BinnedColumn } from './binned-column.js';

/** Rarer bins are pooled: a likelihood ratio of nearly empty cells proves nothing. */
const MIN_ROWS_OF_A_BIN = 30;
/** Standard deviations of the likelihood ratio beyond what independence gives. */
const BEYOND_NOISE = 5;
/** Share of a column's uncertainty that the other takes away; less is proven by many rows and means nothing. */
const MIN_SHARE = 0.01;

/**
 * Whether a column goes with another among rows of equal label: the likelihood-ratio test of independence within each label (G-test,
 * its χ² by the cube root), together with the share of the first column's entropy that the other explains.
 *
 * @param labels  0 or 1, shape [rows]
 *
 * Source: Wilson and Hilferty (1931), "The distribution of chi-square", PNAS 17; Theil (1970), "On the estimation of relationships
 * involving qualitative variables", American Journal of Sociology 76 (uncertainty coefficient).
 */
export function dependsOn(column: BinnedColumn, other: BinnedColumn, labels: ArrayLike<number>): boolean {
  const [a, b] = [pooledBins(column), pooledBins(other)];
  let [ratio, freedom, uncertainty] = [0, 0, 0];
  for (const label of [0, 1]) {
    const rows = Array.from(a.bins.keys()).filter((row) => labels[row] === label);
    const within = likelihoodRatio(a, b, rows);
    ratio += within.ratio;
    freedom += within.freedom;
    uncertainty += within.uncertainty;
  }
  if (freedom === 0 || uncertainty === 0) return false;
  const spread = 2 / (9 * freedom);
  const z = (Math.cbrt(ratio / freedom) - (1 - spread)) / Math.sqrt(spread);
  return z > BEYOND_NOISE && (ratio - freedom) / (2 * uncertainty) >= MIN_SHARE;
}

interface Bins {
  bins: Int32Array;
  count: number;
}

/** Bins of fewer than 30 rows become one. */
function pooledBins({ bins, count }: Bins): Bins {
  const rows = new Float64Array(count);
  for (const bin of bins) rows[bin] = (rows[bin] ?? 0) + 1;
  const position = new Int32Array(count);
  let next = 1;
  for (let bin = 0; bin < count; bin++) position[bin] = (rows[bin] ?? 0) >= MIN_ROWS_OF_A_BIN ? next++ : 0;
  return { bins: bins.map((bin) => position[bin] ?? 0), count: next };
}

/** G = 2 Σ n ln(n · total / (row · column)), its degrees of freedom, and rows × entropy of the first. */
function likelihoodRatio(
  a: Bins,
  b: Bins,
  rows: readonly number[],
): { ratio: number; freedom: number; uncertainty: number } {
  const cells = new Float64Array(a.count * b.count);
  const [ofA, ofB] = [new Float64Array(a.count), new Float64Array(b.count)];
  for (const row of rows) {
    const [i, j] = [a.bins[row] ?? 0, b.bins[row] ?? 0];
    cells[i * b.count + j] = (cells[i * b.count + j] ?? 0) + 1;
    ofA[i] = (ofA[i] ?? 0) + 1;
    ofB[j] = (ofB[j] ?? 0) + 1;
  }
  let ratio = 0;
  for (const [at, n] of cells.entries()) {
    const expected = ((ofA[Math.floor(at / b.count)] ?? 0) * (ofB[at % b.count] ?? 0)) / rows.length;
    if (n > 0) ratio += 2 * n * Math.log(n / expected);
  }
  const used = (counts: Float64Array): number => counts.filter((n) => n > 0).length;
  const uncertainty = ofA.reduce((sum, n) => sum - (n > 0 ? n * Math.log(n / rows.length) : 0), 0);
  return { ratio, freedom: Math.max(0, (used(ofA) - 1) * (used(ofB) - 1)), uncertainty };
}
