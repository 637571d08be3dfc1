import { type Quadrature, gaussBeta } from './quadrature.js';

/** The customer's rate is Gamma(r, rate alpha) and its drop-out probability Beta(a, b), both before any purchase. */
export interface GeometricParameters {
  r: number;
  alpha: number;
  a: number;
  b: number;
}

export type PurchasesWhenAlive = (
  frequency: number,
  age: number,
  horizons: Float64Array,
  out: Float64Array,
) => void;

const STORED_TERMS = 192;
const MAX_TERMS = 20_000;
/** Beyond these the series' terms cancel or overflow, while few quadrature nodes do: the Beta is narrow or the rate sharp. */
const SERIES_MAX_SHAPE = 50;
const SERIES_MIN_ORDER = -12;
const NODES = 128;

/**
 * Expected purchases of a BG/NBD customer who is alive: E[(1 − e^(−λ p t)) / p] with λ ~ Gamma(r + x, alpha + T) and
 * p ~ Beta(a, b + x). With q = (alpha + T) / (alpha + T + t) and z = 1 − q,
 *
 *   (a + b + x − 1) (1 − q^(a−1)) / (a − 1)  −  q^(a−1) (a + b − 1 − r) z · 3F2(a + b − r, a, 1; a + b + x, 2; z),
 *
 * which is Fader, Hardie and Lee's (2005) equation 10 after Euler's transformation of its 2F1: x stands in one denominator only, so
 * the coefficients are shared by all customers of equal x, and a = 1 is no special case. Relative error below 1e-10 while
 * t ≤ 500 (alpha + T), 1e-8 at 2,000.
 */
export function geometricPurchases(parameters: GeometricParameters): PurchasesWhenAlive {
  const order = parameters.a + parameters.b - 1 - parameters.r;
  const bySeries = parameters.a <= SERIES_MAX_SHAPE && order >= SERIES_MIN_ORDER && order <= 1e3;
  return bySeries ? seriesPurchases(parameters) : quadraturePurchases(parameters, NODES);
}

/** The same by Gauss–Jacobi over p: any parameters, slower, and exact to 1e-9 while t ≤ 100 (alpha + T) for 128 nodes. */
export function quadraturePurchases(
  { r, alpha, a, b }: GeometricParameters,
  nodeCount: number,
): PurchasesWhenAlive {
  const rules = new Map<number, Quadrature>();
  return (x, age, horizons, out) => {
    let rule = rules.get(x);
    if (rule === undefined) rules.set(x, (rule = gaussBeta(nodeCount, a, b + x)));
    const { nodes, weights } = rule;
    for (let h = 0; h < horizons.length; h++) {
      const ratio = (horizons[h] as number) / (alpha + age);
      let sum = 0;
      for (let k = 0; k < nodes.length; k++) {
        const p = nodes[k] as number;
        // A node below rounding: the limit of (1 − (1 + p w)^(−s)) / p.
        const gone = p > 1e-300 ? -Math.expm1(-(r + x) * Math.log1p(p * ratio)) / p : (r + x) * ratio;
        sum += (weights[k] as number) * gone;
      }
      out[h] = sum;
    }
  };
}

function seriesPurchases({ r, alpha, a, b }: GeometricParameters): PurchasesWhenAlive {
  const order = a + b - 1 - r;
  const stored: (Float64Array | undefined)[] = [];
  return (x, age, horizons, out) => {
    const coefficients = (stored[x] ??= seriesCoefficients({ order, a, sum: a + b + x }));
    const now = alpha + age;
    for (let h = 0; h < horizons.length; h++) {
      const t = horizons[h] as number;
      const z = t / (now + t);
      const logQ = -Math.log1p(t / now);
      const [power, slope] = powerAndSlope(a - 1, logQ);
      const series = z * order * sumSeries(coefficients, z, { order, a, sum: a + b + x });
      out[h] = Math.max(0, (a + b + x - 1) * slope - power * series);
    }
  };
}

interface SeriesShape {
  order: number;
  a: number;
  sum: number;
}

/** Ratio of term j + 1 to term j, less z. */
function ratioAt(j: number, { order, a, sum }: SeriesShape): number {
  return ((order + 1 + j) * (a + j)) / ((sum + j) * (j + 2));
}

function seriesCoefficients(shape: SeriesShape): Float64Array {
  const coefficients = new Float64Array(STORED_TERMS);
  let term = 1;
  for (let j = 0; j < STORED_TERMS; j++) {
    coefficients[j] = term;
    term *= ratioAt(j, shape);
  }
  return coefficients;
}

function sumSeries(coefficients: Float64Array, z: number, shape: SeriesShape): number {
  let [sum, power] = [0, 1];
  for (let j = 0; j < STORED_TERMS; j++) {
    const term = (coefficients[j] as number) * power;
    sum += term;
    if (Math.abs(term) < 1e-17 * Math.abs(sum)) return sum;
    power *= z;
  }
  let term = (coefficients[STORED_TERMS - 1] as number) * (power / z) * ratioAt(STORED_TERMS - 1, shape) * z;
  for (let j = STORED_TERMS; j < MAX_TERMS && Math.abs(term) >= 1e-17 * Math.abs(sum); j++) {
    sum += term;
    term *= ratioAt(j, shape) * z;
  }
  return sum;
}

/** q^s and (1 − q^s) / s from ln q; the second is −ln q at s = 0. */
export function powerAndSlope(s: number, logQ: number): [power: number, slope: number] {
  return [Math.exp(s * logQ), Math.abs(s) < 1e-300 ? -logQ : -Math.expm1(s * logQ) / s];
}
