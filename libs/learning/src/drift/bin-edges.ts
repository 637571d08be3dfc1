const TAIL_SHARES = [0.0002, 0.0005, 0.001, 0.005, 0.01];
/** Shares of the reference's rows at which bins end: twentieths, and finer towards both tails. */
const SHARES = [
  ...TAIL_SHARES,
  ...Array.from({ length: 19 }, (_, i) => (i + 1) / 20),
  ...TAIL_SHARES.map((share) => 1 - share),
];
/** Searched without a branch in five steps. */
export const MAX_EDGES = 31;

/**
 * Where bins of numbers end, by quantiles of the reference: bin i holds edge i−1 < x ≤ edge i. The first bin lies below the least and
 * the last above the greatest value of the reference, so that both are empty there.
 *
 * @param values  in any order, NaN = missing
 * @returns       ascending, at most 31; none where every value is missing
 */
export function fitEdges(values: Float64Array): Float64Array {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (sorted.length === 0) return new Float64Array(0);
  const inner = SHARES.map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  const edges = new Set([justBelow(sorted[0] ?? 0), ...inner, sorted.at(-1) ?? 0]);
  return Float64Array.from(edges).sort();
}

/**
 * Edges for numbers that are computed again elsewhere, with other rounding: each lies between two values of the reference, not on one.
 *
 * @param values  in any order, NaN = missing
 */
export function fitEdgesBetween(values: Float64Array): Float64Array {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const margin = ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) * 1e-6 + Math.abs(sorted.at(-1) ?? 0) * 1e-5;
  const between = Array.from(fitEdges(sorted), (edge) => {
    const above = sorted[firstAbove(sorted, edge)];
    if (above === undefined) return edge + margin;
    return edge < (sorted[0] ?? 0) ? edge - margin : (edge + above) / 2;
  });
  return Float64Array.from(new Set(between)).sort();
}

/** The edges as `countNumbers` wants them. */
export function paddedEdges(edges: ArrayLike<number>): Float64Array {
  const padded = new Float64Array(MAX_EDGES).fill(Infinity);
  padded.set(Float64Array.from(edges));
  return padded;
}

/**
 * Adds values to bins in one pass; the five steps of each search are sums of comparisons, since branches on them would be guessed
 * wrong half the time.
 *
 * @param edges   shape [31], the rest Infinity
 * @param counts  the bin `b` is counted at `from + b`
 * @returns       how many are missing
 */
export function countNumbers(
  values: ArrayLike<number>,
  edges: Float64Array,
  counts: Float64Array,
  from = 0,
): number {
  const middle = edges[15] ?? 0;
  let missing = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i] ?? Number.NaN;
    if (Number.isNaN(x)) {
      missing++;
      continue;
    }
    let bin = Number(middle < x) << 4;
    bin += Number((edges[bin + 7] ?? 0) < x) << 3;
    bin += Number((edges[bin + 3] ?? 0) < x) << 2;
    bin += Number((edges[bin + 1] ?? 0) < x) << 1;
    bin += Number((edges[bin] ?? 0) < x);
    counts[from + bin] = (counts[from + bin] ?? 0) + 1;
  }
  return missing;
}

function firstAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The next float64 below x. */
function justBelow(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  if (x === 0) return -Number.MIN_VALUE;
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
