import { logGamma } from './gamma-functions.js';

/** ∫ f ≈ Σ weights_k f(nodes_k), nodes ascending. */
export interface Quadrature {
  nodes: Float64Array;
  weights: Float64Array;
}

const MAX_SWEEPS = 60;

/**
 * Gauss–Legendre on [0, 1]: exact for polynomials of degree 2n − 1; the weights sum to 1.
 *
 * @throws RangeError when n is no positive integer
 *
 * Source: Golub and Welsch (1969), "Calculation of Gauss quadrature rules", Mathematics of Computation 23.
 */
export function gaussLegendre(n: number): Quadrature {
  return gaussBeta(n, 1, 1);
}

/**
 * Gauss–Jacobi as an expectation over Beta(a, b) on [0, 1]: E f(p) ≈ Σ weights_k f(nodes_k), exact for polynomials of degree
 * 2n − 1; the weights sum to 1.
 *
 * @param a  positive; likewise b
 * @throws RangeError when n is no positive integer, or a or b not positive
 *
 * Source: Golub and Welsch (1969); recurrence of the Jacobi polynomials by Gautschi (2004), "Orthogonal polynomials", table 1.1.
 */
export function gaussBeta(n: number, a: number, b: number): Quadrature {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`a quadrature needs at least one node, got ${n}`);
  if (!(a > 0 && b > 0)) throw new RangeError(`Beta needs positive parameters, got ${a} and ${b}`);
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const sum = a + b;
  for (let k = 0; k < n; k++) {
    // On [0, 1] with weight p^(a−1)(1−p)^(b−1); the case k = 0 is written apart since 2k + a + b − 2 may vanish.
    const m = 2 * k + sum;
    diagonal[k] = k === 0 ? a / sum : 0.5 + ((a - b) * (sum - 2)) / (2 * (m - 2) * m);
    const i = k + 1;
    const j = 2 * i + sum - 2;
    const square =
      i === 1
        ? (a * b) / (sum * sum * (sum + 1))
        : (i * (i + a - 1) * (i + b - 1) * (i + sum - 2)) / (j * j * (j + 1) * (j - 1));
    offDiagonal[k] = i < n ? Math.sqrt(square) : 0;
  }
  return eigenQuadrature(diagonal, offDiagonal);
}

/** ln B(a, b). */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Eigenvalues of the Jacobi matrix and squares of the first entries of its vectors, by implicit QL. */
function eigenQuadrature(d: Float64Array, e: Float64Array): Quadrature {
  const n = d.length;
  const first = new Float64Array(n);
  first[0] = 1;
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
      const m = splitAfter(d, e, l);
      if (m === l) break;
      sweepQl({ d, e, first }, l, m);
    }
  }
  const order = Array.from(d.keys()).sort((i, j) => (d[i] ?? 0) - (d[j] ?? 0));
  return {
    nodes: Float64Array.from(order, (i) => d[i] ?? 0),
    weights: Float64Array.from(order, (i) => (first[i] ?? 0) ** 2),
  };
}

/** The first m ≥ l whose coupling to m + 1 is below rounding. */
function splitAfter(d: Float64Array, e: Float64Array, l: number): number {
  let m = l;
  for (; m < d.length - 1; m++) {
    const scale = Math.abs(d[m] ?? 0) + Math.abs(d[m + 1] ?? 0);
    if (Math.abs(e[m] ?? 0) <= Number.EPSILON * scale) break;
  }
  return m;
}

/** One implicit QL step with Wilkinson's shift on rows l … m. */
function sweepQl(
  { d, e, first }: { d: Float64Array; e: Float64Array; first: Float64Array },
  l: number,
  m: number,
): void {
  const at = (values: Float64Array, i: number): number => values[i] as number;
  let g = (at(d, l + 1) - at(d, l)) / (2 * at(e, l));
  let r = Math.hypot(g, 1);
  g = at(d, m) - at(d, l) + at(e, l) / (g + (g >= 0 ? r : -r));
  let [s, c, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = s * at(e, i);
    const b = c * at(e, i);
    r = Math.hypot(f, g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] = at(d, i + 1) - p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = at(d, i + 1) - p;
    const turned = (at(d, i) - g) * s + 2 * c * b;
    p = s * turned;
    d[i + 1] = g + p;
    g = c * turned - b;
    const z = at(first, i + 1);
    first[i + 1] = s * at(first, i) + c * z;
    first[i] = c * at(first, i) - s * z;
  }
  d[l] = at(d, l) - p;
  e[l] = g;
  e[m] = 0;
}
