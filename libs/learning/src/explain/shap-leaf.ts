/**
 * What one leaf of a tree contributes to the Shapley value of each of the d distinct columns on its path. A column either *holds* (the row
 * passes all tests of it on the path, o = 1) or *fails* (o = 0); z is the share of training rows that pass them. Then
 *
 *   φ_j = value · (o_j − z_j) · Σ_{S ⊆ D∖j} |S|! (d − 1 − |S|)! / d! · Π_{k ∈ S} o_k · Π_{k ∉ S ∪ j} z_k
 *
 * depends on the row through the d bits o only, so that it can be looked up.
 *
 * Source: Lundberg, Erion and Lee (2018), "Consistent individualized feature attribution for tree ensembles", arXiv:1802.03888.
 */

/**
 * Fills a leaf's table: for each of the 2^d bit patterns of failing columns (pattern 0: all hold) what the leaf credits to a column that
 * fails in it, F(f) = −value · Π_{k ∈ f} z_k · Σ_{S ⊆ D∖f} |S|! (d − 1 − |S|)! / d! · Π_{k ∉ S ∪ f} z_k. That is enough: it is the
 * same for all failing columns, and a column j that holds is credited F(f ∪ j) · (z_j − 1) / z_j. Time O(2^d · d).
 *
 * @param shares  z of each column, shape [d], all positive, d ≤ 20
 * @param table   written at `at` … `at + 2^d − 1`
 */
export function fillLeafTable(
  shares: ArrayLike<number>,
  value: number,
  { table, at }: { table: Float64Array; at: number },
): void {
  const all = 2 ** shares.length - 1;
  const known = weightsOfKnown(shares);
  const missing = productsOfShares(shares);
  for (let failing = 0; failing <= all; failing++)
    table[at + failing] = -value * (missing[failing] ?? 0) * (known[all ^ failing] ?? 0);
}

/** For each set Q of columns: Σ_{S ⊆ Q} |S|! (d − 1 − |S|)! / d! · Π_{k ∈ Q∖S} z_k; shape [2^d], not used for the full set. */
function weightsOfKnown(shares: ArrayLike<number>): Float64Array {
  const d = shares.length;
  const width = d + 1;
  const weights = subsetWeights(d);
  // Row Q holds, by the size of S, the sum over S ⊆ Q of the product of the other shares.
  const sums = new Float64Array(2 ** d * width);
  const known = new Float64Array(2 ** d);
  sums[0] = 1;
  for (let set = 0; set < known.length; set++) {
    const highest = 31 - Math.clz32(set);
    const [rest, share] = [(set ^ (1 << highest)) * width, shares[highest] ?? 0];
    let total = 0;
    for (let size = 0; size < d; size++) {
      if (set > 0) {
        const fewer = size === 0 ? 0 : (sums[rest + size - 1] ?? 0);
        sums[set * width + size] = (sums[rest + size] ?? 0) * share + fewer;
      }
      total += (weights[size] ?? 0) * (sums[set * width + size] ?? 0);
    }
    known[set] = total;
  }
  return known;
}

/** s! (d − 1 − s)! / d! for s = 0 … d − 1. */
function subsetWeights(d: number): Float64Array {
  const weights = new Float64Array(d);
  let weight = 1 / d;
  for (let s = 0; s < d; s++) {
    weights[s] = weight;
    weight *= (s + 1) / Math.max(1, d - 1 - s);
  }
  return weights;
}

function productsOfShares(shares: ArrayLike<number>): Float64Array {
  const products = new Float64Array(2 ** shares.length);
  products[0] = 1;
  for (let set = 1; set < products.length; set++) {
    const highest = 31 - Math.clz32(set);
    products[set] = (products[set ^ (1 << highest)] ?? 0) * (shares[highest] ?? 0);
  }
  return products;
}

export interface Quadrature {
  points: Float64Array;
  weights: Float64Array;
}

/**
 * The same contributions without a table, for paths of many columns: |S|! (d − 1 − |S|)! / d! = ∫ t^|S| (1 − t)^(d − 1 − |S|) dt over [0, 1], so the
 * sum over subsets is the integral of Π_{k ≠ j} (o_k t + z_k (1 − t)), a polynomial that Gauss–Legendre quadrature integrates
 * exactly. All terms are positive, so no digits cancel. Time O(d²).
 *
 * @param holds       o of each column, 0 or 1, shape [d]
 * @param quadrature  of at least ⌈d / 2⌉ points
 * @param phi         contributions are written to it, shape [d]
 *
 * Source of the integral: Owen (1972), "Multilinear extensions of games", Management Science 18(5).
 */
export function leafContributions(
  { shares, value, holds }: { shares: ArrayLike<number>; value: number; holds: ArrayLike<number> },
  { points, weights }: Quadrature,
  phi: Float64Array,
): void {
  const d = shares.length;
  phi.fill(0, 0, d);
  for (let q = 0; q < points.length; q++) {
    const t = points[q] ?? 0;
    let product = value * (weights[q] ?? 0);
    for (let k = 0; k < d; k++) product *= (holds[k] ?? 0) * t + (shares[k] ?? 0) * (1 - t);
    // A factor is 0 only where the column fails and no training row passes: then the leaf credits nothing.
    if (product === 0) continue;
    for (let j = 0; j < d; j++) {
      const [o, z] = [holds[j] ?? 0, shares[j] ?? 0];
      phi[j] = (phi[j] ?? 0) + ((o - z) * product) / (o * t + z * (1 - t));
    }
  }
}

/**
 * Gauss–Legendre points and weights on [0, 1]: exact for polynomials up to degree 2n − 1.
 *
 * Source: Press et al. (2007), Numerical Recipes, 3rd ed., section 4.6.1 (Newton's method on Legendre polynomials).
 */
export function gaussLegendre(n: number): Quadrature {
  const [points, weights] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const [value, before] = legendre(n, x);
      slope = (n * (x * value - before)) / (x * x - 1);
      const next = x - value / slope;
      const moved = Math.abs(next - x);
      x = next;
      if (moved < 1e-15) break;
    }
    points[i] = (1 - x) / 2;
    weights[i] = 1 / ((1 - x * x) * slope * slope);
  }
  return { points, weights };
}

/** Legendre polynomials of degree n and n − 1 at x. */
function legendre(n: number, x: number): [number, number] {
  let [value, before] = [1, 0];
  for (let k = 1; k <= n; k++) [value, before] = [((2 * k - 1) * x * value - (k - 1) * before) / k, value];
  return [value, before];
}
