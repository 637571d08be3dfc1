import { randomNormal, seededRandom } from '../random/seeded-random.js';
import { sigmoid } from '../score/logistic.js';
import type { UpliftRows } from './uplift-rows.js';

/** An experiment whose effect grows with the first column and falls to below 0; the second moves the outcome alone. */
export function anExperiment(
  n: number,
  { seed = 1, effect = 0.25 } = {},
): UpliftRows & { truth: Float64Array } {
  const random = seededRandom(seed);
  const columns = 3;
  const rows = Float32Array.from({ length: n * columns }, () => randomNormal(random));
  const truth = Float64Array.from({ length: n }, (_, i) => effect * Math.tanh(rows[i * columns] ?? 0));
  const treated = Uint8Array.from({ length: n }, () => Number(random() < 0.5));
  const outcomes = Uint8Array.from({ length: n }, (_, i) => {
    const base = 0.3 + 0.4 * sigmoid(rows[i * columns + 1] ?? 0);
    return Number(random() < base + (treated[i] === 1 ? (truth[i] ?? 0) : 0));
  });
  return { rows, columns, treated, outcomes, propensity: new Float64Array(n).fill(0.5), truth };
}

/** Pearson's correlation. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, v) => sum + v, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [(a[i] ?? 0) - ma, (b[i] ?? 0) - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}
