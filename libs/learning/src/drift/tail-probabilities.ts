import { logGamma } from '../lifetime/gamma-functions.js';

const MAX_TERMS = 10_000;
const TOLERANCE = 1e-15;

/**
 * Probability that a chi-squared variable of `degrees` degrees of freedom exceeds x: the upper regularised incomplete gamma function
 * Q(degrees / 2, x / 2), by its series for small x and its continued fraction for large.
 *
 * @returns  in [0, 1]; 1 for x ≤ 0 or no degree of freedom
 *
 * Source: Press et al. (2007), Numerical Recipes, 3rd ed., section 6.2.
 */
export function chiSquareTail(x: number, degrees: number): number {
  if (degrees <= 0 || !(x > 0)) return 1;
  const [a, y] = [degrees / 2, x / 2];
  if (y === Infinity) return 0;
  const scale = Math.exp(a * Math.log(y) - y - logGamma(a));
  return y < a + 1 ? 1 - scale * lowerSeries(a, y) : scale * upperFraction(a, y);
}

function lowerSeries(a: number, y: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAX_TERMS && term > sum * TOLERANCE; n++) {
    term *= y / (a + n);
    sum += term;
  }
  return sum;
}

/** Lentz's method. */
function upperFraction(a: number, y: number): number {
  let b = y + 1 - a;
  let c = Number.MAX_VALUE;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < MAX_TERMS; n++) {
    const step = -n * (n - a);
    b += 2;
    d = 1 / (step * d + b);
    c = b + step / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < TOLERANCE) break;
  }
  return value;
}

/**
 * Asymptotic probability that two samples of one distribution have a Kolmogorov–Smirnov distance of at least `distance`:
 * 2 Σ (−1)^(k−1) exp(−2 k² λ²) with λ = (√e + 0.12 + 0.11 / √e) · distance, e = n m / (n + m).
 *
 * Source: Press et al. (2007), Numerical Recipes, 3rd ed., section 14.3.3 (after Stephens 1970).
 */
export function kolmogorovTail(distance: number, n: number, m: number): number {
  const root = Math.sqrt((n * m) / (n + m));
  const lambda = (root + 0.12 + 0.11 / root) * distance;
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-300) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/**
 * Probability that k given rows of n + m exchangeable rows all fall into the m: Π (m − i) / (n + m − i). It bounds, without any
 * assumption on the distribution, how likely the k most extreme rows (or all k rows of one category) are all new ones.
 */
export function allInSecond(k: number, n: number, m: number): number {
  let probability = 1;
  for (let i = 0; i < k && probability > 0; i++) probability *= (m - i) / (n + m - i);
  return probability;
}

/**
 * Holm's step-down adjustment: rejecting where the adjusted value is below α keeps the chance of any false rejection below α,
 * whatever the dependence between the tests.
 *
 * @returns  shape [n], each at least the p-value and at most 1
 *
 * Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((a, b) => (pValues[a] ?? 1) - (pValues[b] ?? 1));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  for (const [rank, at] of order.entries()) {
    largest = Math.min(1, Math.max(largest, (pValues.length - rank) * (pValues[at] ?? 1)));
    adjusted[at] = largest;
  }
  return adjusted;
}
