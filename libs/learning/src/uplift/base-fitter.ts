import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';
import { fitLogistic } from '../score/logistic.js';
import type { ModelForm } from './uplift-model.js';

/** Rows row-major, shape [n, columns]; targets shape [n]; weights shape [n], absent: all 1. */
export interface BaseInput {
  rows: Float32Array;
  columns: number;
  targets: Float64Array | Uint8Array;
  weights?: Float64Array;
}

/** What the learners are built over. A probability's margin is log-odds; a regression's is the target itself. */
export interface BaseFitter {
  name: 'linear' | 'lightgbm';
  probability: (input: BaseInput) => Promise<ModelForm>;
  regression: (input: BaseInput) => Promise<ModelForm>;
}

/** An effect's noise is far larger than what a finer fit of an outcome model would change. */
const TOLERANCE = 3e-5;

/** Logistic and linear regression with a ridge penalty on standardised columns; `l2` a row, as in `fitLogistic`. */
export function linearBase({ l2, regressionL2 }: { l2: number; regressionL2: number }): BaseFitter {
  return {
    name: 'linear',
    probability: async ({ rows, columns, targets }) => ({
      kind: 'linear',
      ...fitLogistic({ rows, columns, labels: targets }, { l2, tolerance: TOLERANCE }),
    }),
    regression: async (input) => ({ kind: 'linear', ...solveRidge(input, regressionL2) }),
  };
}

/**
 * Weighted least squares with a ridge penalty: minimises mean w (y − x·b − c)² + l2 · |b|², the intercept c free, by the normal
 * equations. With no spread in the rows all coefficients are 0 and the intercept is the weighted mean.
 *
 * @throws RangeError when the shapes do not fit, there is no row, or l2 is not positive
 */
export function solveRidge(
  { rows, columns, targets, weights }: BaseInput,
  l2: number,
): { coefficients: Float64Array; intercept: number } {
  const n = targets.length;
  if (n === 0 || rows.length !== n * columns)
    throw new RangeError(`${rows.length} cells are not ${n} × ${columns}`);
  if (!(l2 > 0)) throw new RangeError(`l2 must be positive, got ${l2}`);
  const weightOf = (i: number): number => weights?.[i] ?? 1;
  let [total, targetMean] = [0, 0];
  const means = new Float64Array(columns);
  for (let i = 0; i < n; i++) {
    total += weightOf(i);
    targetMean += weightOf(i) * (targets[i] ?? 0);
    for (let j = 0; j < columns; j++) means[j] = (means[j] ?? 0) + weightOf(i) * (rows[i * columns + j] ?? 0);
  }
  targetMean /= total;
  for (let j = 0; j < columns; j++) means[j] = (means[j] ?? 0) / total;
  const gram = new Float64Array(columns * columns);
  const moment = new Float64Array(columns);
  const centred = new Float64Array(columns);
  for (let i = 0; i < n; i++) {
    const w = weightOf(i) / total;
    for (let j = 0; j < columns; j++) centred[j] = (rows[i * columns + j] ?? 0) - (means[j] ?? 0);
    addOuter({ gram, moment, centred }, w, (targets[i] ?? 0) - targetMean);
  }
  for (let j = 0; j < columns; j++) {
    for (let k = 0; k < j; k++) gram[j * columns + k] = gram[k * columns + j] ?? 0;
    gram[j * columns + j] = (gram[j * columns + j] ?? 0) + l2;
  }
  const coefficients = solve(gram, moment);
  let intercept = targetMean;
  for (let j = 0; j < columns; j++) intercept -= (coefficients[j] ?? 0) * (means[j] ?? 0);
  return { coefficients, intercept };
}

/** Of the gram matrix the upper half. */
function addOuter(
  { gram, moment, centred }: { gram: Float64Array; moment: Float64Array; centred: Float64Array },
  weight: number,
  residual: number,
): void {
  const columns = centred.length;
  for (let j = 0; j < columns; j++) {
    const scaled = weight * (centred[j] ?? 0);
    if (scaled === 0) continue;
    moment[j] = (moment[j] ?? 0) + scaled * residual;
    for (let k = j; k < columns; k++)
      gram[j * columns + k] = (gram[j * columns + k] ?? 0) + scaled * (centred[k] ?? 0);
  }
}

function solve(gram: Float64Array, moment: Float64Array): Float64Array {
  const columns = moment.length;
  const inverse = invertPositiveDefinite(gram, columns);
  return Float64Array.from({ length: columns }, (_, j) => {
    let sum = 0;
    for (let k = 0; k < columns; k++) sum += (inverse[j * columns + k] ?? 0) * (moment[k] ?? 0);
    return sum;
  });
}
