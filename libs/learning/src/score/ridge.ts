import type { LogisticModel } from './logistic.js';
import { minimise } from './minimise.js';

/** value = coefficients · row + intercept, in the unit of the outcome. */
export type LinearModel = LogisticModel;

/** `rows` row-major, shape [n, columns], no NaN; `values` shape [n]. */
export interface RidgeInput {
  rows: Float32Array;
  columns: number;
  values: ArrayLike<number>;
  /** How much each row counts, shape [n], above 0; absent: equally. Only their proportions matter. */
  weights?: ArrayLike<number>;
}

/** Entry of the gradient at the end, of an outcome of variance 1. */
const TOLERANCE = 1e-6;

/**
 * Linear regression with a ridge penalty: minimises mean (weighted) squared error / 2 + l2 / 2 · |coefficients|²; the intercept is
 * free. By gradient steps, so that a thousand one-hot columns need no matrix of a million. Meant for an outcome of about variance 1.
 *
 * @param options.l2     penalty per row, > 0
 * @param options.start  where to begin, e.g. the model of the neighbouring l2
 * @throws RangeError when the shapes do not fit, there is no row, a cell or value is not finite, a weight or l2 is not positive
 *
 * Source: Hoerl and Kennard (1970), "Ridge regression", Technometrics 12(1).
 */
export function fitRidge(input: RidgeInput, { l2, start }: { l2: number; start?: LinearModel }): LinearModel {
  const { rows, columns, values } = input;
  const n = values.length;
  if (n === 0 || rows.length !== n * columns)
    throw new RangeError(`${rows.length} cells are not ${n} × ${columns}`);
  if (!(l2 > 0)) throw new RangeError(`l2 must be positive, got ${l2}`);
  if (!rows.every(Number.isFinite) || !Array.from(values).every(Number.isFinite))
    throw new RangeError('every cell and value must be finite');
  const weights = Float64Array.from({ length: n }, (_, i) => input.weights?.[i] ?? 1);
  if (!weights.every((weight) => weight > 0)) throw new RangeError('every weight must be above 0');
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const from = new Float64Array(columns + 1);
  if (start !== undefined) {
    from.set(start.coefficients);
    from[columns] = start.intercept;
  }
  const at = minimise(
    (point, gradient) => lossAt({ rows, columns, values, shares, l2 }, point, gradient),
    from,
    {
      gradientTolerance: TOLERANCE,
    },
  );
  return { coefficients: at.slice(0, columns), intercept: at[columns] ?? 0 };
}

interface Penalised extends RidgeInput {
  shares: Float64Array;
  l2: number;
}

function lossAt(
  { rows, columns, values, shares, l2 }: Penalised,
  point: Float64Array,
  gradient: Float64Array,
): number {
  gradient.fill(0);
  let loss = 0;
  for (let i = 0; i < shares.length; i++) {
    const offset = i * columns;
    let error = (point[columns] ?? 0) - (values[i] ?? 0);
    for (let j = 0; j < columns; j++) error += (point[j] ?? 0) * (rows[offset + j] ?? 0);
    const slope = (shares[i] ?? 0) * error;
    loss += (slope * error) / 2;
    for (let j = 0; j < columns; j++) gradient[j] = (gradient[j] ?? 0) + slope * (rows[offset + j] ?? 0);
    gradient[columns] = (gradient[columns] ?? 0) + slope;
  }
  for (let j = 0; j < columns; j++) {
    const weight = point[j] ?? 0;
    loss += (l2 / 2) * weight * weight;
    gradient[j] = (gradient[j] ?? 0) + l2 * weight;
  }
  return loss;
}
