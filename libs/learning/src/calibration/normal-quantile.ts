/**
 * z with Φ(z) = p, by Newton's method on the standard normal distribution function; accurate to about 1e-12 for p in [1e-12, 1 − 1e-12].
 *
 * @returns  −∞ at 0 and ∞ at 1
 * @throws RangeError when p is outside [0, 1]
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`p must be in [0, 1], got ${p}`);
  if (p === 0 || p === 1) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (p > 0.5) return -normalQuantile(1 - p);
  let [low, high] = [-40, 0];
  let z = 0;
  for (let i = 0; i < 100; i++) {
    const excess = lowerTail(z) - p;
    if (excess > 0) high = z;
    else low = z;
    const newton = z - excess / density(z);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - z) < 1e-14 * Math.max(1, Math.abs(z))) return next;
    z = next;
  }
  return z;
}

/** Probability of a standard normal above z, for z ≥ 0; relative accuracy about 1e-12. */
export function normalTail(z: number): number {
  if (!(z >= 0)) throw new RangeError(`z must be at least 0, got ${z}`);
  return lowerTail(-z);
}

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** Φ(z) for z ≤ 0: Taylor series near 0, Laplace's continued fraction in the tail. */
function lowerTail(z: number): number {
  const x = -z;
  if (x < 3) {
    let [term, sum] = [x, x];
    for (let k = 1; k < 200 && Math.abs(term) > 1e-18; k++) {
      term *= (x * x) / (2 * k + 1);
      sum += term;
    }
    return 0.5 - density(x) * sum;
  }
  let fraction = x;
  for (let k = 120; k >= 1; k--) fraction = x + k / fraction;
  return density(x) / fraction;
}
