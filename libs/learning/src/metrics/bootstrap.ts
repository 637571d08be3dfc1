import type { Measured } from '@sextant/artefacts';
import { randomInteger, seededRandom } from '../random/seeded-random.js';
import { mean, weightedAuc } from './probability.js';

export interface BootstrapOptions {
  seed: number;
  /** Number of resamples; 300 when absent. */
  resamples?: number;
  /** Two-sided confidence of the interval; 0.9 when absent. */
  level?: number;
}

/**
 * Percentile bootstrap interval of any statistic of n rows.
 *
 * @param n          number of rows (customers, leads, …), the unit of resampling
 * @param statistic  value at given row multiplicities, shape [n]; resamples where it is NaN are left out
 * @returns          the value at multiplicities of 1, with the percentile interval; a point when no resample has a value
 * @throws RangeError when n is no positive integer
 *
 * Source: Efron (1979), "Bootstrap methods: another look at the jackknife", Annals of Statistics 7(1).
 */
export function bootstrap(
  n: number,
  statistic: (weights: Float64Array) => number,
  options: BootstrapOptions,
): Measured {
  if (!Number.isInteger(n) || n < 1) throw new RangeError(`a bootstrap needs at least one row, got ${n}`);
  const { resamples = 300, level = 0.9 } = options;
  const random = seededRandom(options.seed);
  const weights = new Float64Array(n).fill(1);
  const value = statistic(weights);
  const drawn: number[] = [];
  for (let r = 0; r < resamples; r++) {
    weights.fill(0);
    for (let i = 0; i < n; i++) {
      const row = randomInteger(random, n);
      weights[row] = (weights[row] ?? 0) + 1;
    }
    const estimate = statistic(weights);
    if (!Number.isNaN(estimate)) drawn.push(estimate);
  }
  drawn.sort((a, b) => a - b);
  return {
    value,
    low: quantile(drawn, (1 - level) / 2) ?? value,
    high: quantile(drawn, (1 + level) / 2) ?? value,
    level,
  };
}

/** Mean of row values (log-losses, NDCG a customer, …) with its interval. */
export function measuredMean(values: ArrayLike<number>, options: BootstrapOptions): Measured {
  return bootstrap(values.length, (weights) => weightedMean(values, weights), options);
}

/** Root of the mean of squared errors with its interval. */
export function measuredRootMean(squared: ArrayLike<number>, options: BootstrapOptions): Measured {
  return bootstrap(squared.length, (weights) => Math.sqrt(weightedMean(squared, weights)), options);
}

export function measuredAuc(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  options: BootstrapOptions,
): Measured {
  return bootstrap(labels.length, weightedAuc({ labels, scores }), options);
}

/**
 * Mean of a − b over the same rows. Where the interval leaves out 0 the two differ beyond noise.
 *
 * @throws RangeError when the lengths differ
 */
export function pairedDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: BootstrapOptions,
): Measured {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
  const differences = Float64Array.from({ length: a.length }, (_, i) => (a[i] ?? 0) - (b[i] ?? 0));
  return measuredMean(differences, options);
}

/** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996); undefined for no values. */
export function quantile(sorted: ArrayLike<number>, q: number): number | undefined {
  const position = q * (sorted.length - 1);
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below === undefined || above === undefined
    ? undefined
    : below + (above - below) * (position - Math.floor(position));
}

function weightedMean(values: ArrayLike<number>, weights: Float64Array): number {
  let [sum, total] = [0, 0];
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i] ?? 0;
    if (w === 0) continue;
    sum += w * (values[i] ?? 0);
    total += w;
  }
  return total === 0 ? mean(values) : sum / total;
}
