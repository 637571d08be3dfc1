import { fitKMeans } from './k-means.js';
import type { Points } from './points.js';
import { cholesky, logDensity } from './normal-density.js';

export interface GaussianMixture {
  covariance: 'full' | 'diagonal';
  /** shape [k], sum 1 */
  shares: Float64Array;
  /** shape [k, columns] */
  means: Points;
  /** Lower Cholesky factor of each covariance, shape [k][columns × columns] row-major. */
  factors: Float64Array[];
  logLikelihood: number;
  /** Bayesian information criterion, −2 ln L + parameters · ln n: the smaller the better. */
  bic: number;
  /** most probable component of each row */
  labels: Int32Array;
}

export interface MixtureOptions {
  k: number;
  seed: number;
  covariance: 'full' | 'diagonal';
  /** Added to every variance, in squared units of the columns; 0.01 when absent. Keeps a component from collapsing onto one row. */
  ridge?: number;
}

const MAX_ROUNDS = 200;
const TOLERANCE = 1e-6;

/**
 * Mixture of k normal distributions by expectation and maximisation, from the clusters of k-means.
 *
 * @param points  shape [n, columns], no missing cell
 * @throws RangeError when k is no integer in 1..n, or a cell is missing
 *
 * Sources: Dempster, Laird and Rubin (1977), JRSS B 39(1); Fraley and Raftery (2002), JASA 97(458) for the criterion.
 */
export function fitGaussianMixture(points: Points, options: MixtureOptions): GaussianMixture {
  if (!points.values.every(Number.isFinite))
    throw new RangeError('a mixture needs rows without missing cells');
  const { k, seed } = options;
  const start = fitKMeans(points, { k, seed, restarts: 5 });
  const posterior = new Float64Array(points.rows * k);
  start.labels.forEach((label, i) => (posterior[i * k + label] = 1));
  let model = maximise(points, posterior, options);
  let before = -Infinity;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const logLikelihood = expect(points, model, posterior);
    if (logLikelihood - before < TOLERANCE * points.rows) break;
    before = logLikelihood;
    model = maximise(points, posterior, options);
  }
  const logLikelihood = expect(points, model, posterior);
  const { columns, rows } = points;
  const spread = options.covariance === 'full' ? (columns * (columns + 1)) / 2 : columns;
  const parameters = k - 1 + k * (columns + spread);
  return {
    ...model,
    covariance: options.covariance,
    logLikelihood,
    bic: -2 * logLikelihood + parameters * Math.log(rows),
    labels: mostProbable(posterior, k),
  };
}

/** Probability of each component for each row, shape [n, k] row-major; rows sum to 1. */
export function mixturePosterior(model: GaussianMixture, points: Points): Float64Array {
  const posterior = new Float64Array(points.rows * model.shares.length);
  expect(points, model, posterior);
  return posterior;
}

type Components = Pick<GaussianMixture, 'shares' | 'means' | 'factors'>;

/** Fills the posterior; returns the log-likelihood. */
function expect(points: Points, { shares, means, factors }: Components, posterior: Float64Array): number {
  const k = shares.length;
  const { columns } = points;
  let total = 0;
  for (let i = 0; i < points.rows; i++) {
    const row = points.values.subarray(i * columns, (i + 1) * columns);
    const logs = factors.map(
      (factor, c) =>
        Math.log(shares[c] ?? 0) +
        logDensity(row, means.values.subarray(c * columns, (c + 1) * columns), factor),
    );
    const largest = Math.max(...logs);
    const sum = logs.reduce((acc, log) => acc + Math.exp(log - largest), 0);
    logs.forEach((log, c) => (posterior[i * k + c] = Math.exp(log - largest) / sum));
    total += largest + Math.log(sum);
  }
  return total;
}

function maximise(
  points: Points,
  posterior: Float64Array,
  { k, covariance, ridge = 0.01 }: MixtureOptions,
): Components {
  const { rows, columns } = points;
  const shares = new Float64Array(k);
  const means = { values: new Float64Array(k * columns), rows: k, columns };
  const factors: Float64Array[] = [];
  for (let c = 0; c < k; c++) {
    let weight = 1e-9;
    const mean = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      const p = posterior[i * k + c] ?? 0;
      weight += p;
      for (let j = 0; j < columns; j++) mean[j] = (mean[j] ?? 0) + p * (points.values[i * columns + j] ?? 0);
    }
    means.values.set(
      mean.map((sum) => sum / weight),
      c * columns,
    );
    shares[c] = weight / rows;
    const scatter = scatterOf(points, posterior, {
      c,
      k,
      mean: means.values.subarray(c * columns, (c + 1) * columns),
    });
    for (let a = 0; a < columns; a++) {
      for (let b = 0; b < columns; b++) {
        const at = a * columns + b;
        const kept = a === b || covariance === 'full';
        scatter[at] = kept ? (scatter[at] ?? 0) / weight + (a === b ? ridge : 0) : 0;
      }
    }
    factors.push(cholesky(scatter, columns));
  }
  return { shares, means, factors };
}

function scatterOf(
  { values, rows, columns }: Points,
  posterior: Float64Array,
  { c, k, mean }: { c: number; k: number; mean: Float64Array },
): Float64Array {
  const scatter = new Float64Array(columns * columns);
  for (let i = 0; i < rows; i++) {
    const p = posterior[i * k + c] ?? 0;
    if (p < 1e-12) continue;
    for (let a = 0; a < columns; a++) {
      const da = p * ((values[i * columns + a] ?? 0) - (mean[a] ?? 0));
      for (let b = 0; b < columns; b++) {
        const at = a * columns + b;
        scatter[at] = (scatter[at] ?? 0) + da * ((values[i * columns + b] ?? 0) - (mean[b] ?? 0));
      }
    }
  }
  return scatter;
}

function mostProbable(posterior: Float64Array, k: number): Int32Array {
  return Int32Array.from({ length: posterior.length / k }, (_, i) => {
    let best = 0;
    for (let c = 1; c < k; c++) if ((posterior[i * k + c] ?? 0) > (posterior[i * k + best] ?? 0)) best = c;
    return best;
  });
}
