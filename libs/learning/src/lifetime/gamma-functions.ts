const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156] as const;
const DIGAMMA = [-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132, 691 / 32760, -1 / 12] as const;
const HALF_LOG_TWO_PI = 0.9189385332046727;
/** From here on the asymptotic series are exact to the last bits. */
const ASYMPTOTIC_FROM = 10;

/**
 * ln Γ(z), absolute error below 2e-15 · max(1, |ln Γ(z)|).
 *
 * @param z  positive; 0 gives Infinity, a negative or NaN argument NaN
 *
 * Source: Abramowitz and Stegun (1964), "Handbook of mathematical functions", 6.1.15 (shift) and 6.1.41 (series).
 */
export function logGamma(z: number): number {
  if (!(z > 0)) return z === 0 ? Infinity : Number.NaN;
  let product = 1;
  let shifted = z;
  for (; shifted < ASYMPTOTIC_FROM; shifted++) product *= shifted;
  const value = (shifted - 0.5) * Math.log(shifted) - shifted + HALF_LOG_TWO_PI;
  return value + oddSeries(STIRLING, shifted) - Math.log(product);
}

/**
 * ψ(z) = d ln Γ(z) / dz.
 *
 * @param z  positive; 0 gives −Infinity, a negative or NaN argument NaN
 *
 * Source: Abramowitz and Stegun (1964), 6.3.5 (shift) and 6.3.18 (series).
 */
export function digamma(z: number): number {
  if (!(z > 0)) return z === 0 ? -Infinity : Number.NaN;
  let sum = 0;
  let shifted = z;
  for (; shifted < ASYMPTOTIC_FROM; shifted++) sum += 1 / shifted;
  return Math.log(shifted) - 0.5 / shifted + oddSeries(DIGAMMA, shifted) / shifted - sum;
}

/**
 * ln Γ(z + x) − ln Γ(z) and ψ(z + x) − ψ(z) for x = 0 … max: sums of logarithms and of reciprocals, so that counts of
 * thousands of customers cost one table.
 *
 * @param z  positive
 */
export function risingTable(z: number, max: number): { logs: Float64Array; slopes: Float64Array } {
  const logs = new Float64Array(max + 1);
  const slopes = new Float64Array(max + 1);
  let [log, slope] = [0, 0];
  for (let x = 1; x <= max; x++) {
    log += Math.log(z + x - 1);
    slope += 1 / (z + x - 1);
    logs[x] = log;
    slopes[x] = slope;
  }
  return { logs, slopes };
}

/** ln(1 + e^y). */
export function logOnePlusExp(y: number): number {
  return y > 0 ? y + Math.log1p(Math.exp(-y)) : Math.log1p(Math.exp(y));
}

/** Σ c_k / z^(2k+1). */
function oddSeries(coefficients: readonly number[], z: number): number {
  const inverse = 1 / (z * z);
  let sum = 0;
  for (let k = coefficients.length - 1; k >= 0; k--) sum = sum * inverse + (coefficients[k] ?? 0);
  return sum / z;
}
