import { minimise } from './minimise.js';

/** margin = coefficients · row + intercept, in log-odds. */
export interface LogisticModel {
  coefficients: Float64Array;
  intercept: number;
}

/** `rows` row-major, shape [n, columns], no NaN; `labels` 0 or 1, shape [n]. */
export interface LogisticInput {
  rows: Float32Array;
  columns: number;
  labels: ArrayLike<number>;
  /** How much each row counts, shape [n], ≥ 0 and not all 0; absent: equally. Only their proportions matter. */
  weights?: ArrayLike<number>;
}

/**
 * Logistic regression with a ridge penalty: minimises mean (weighted) log-loss + l2 / 2 · |coefficients|²; the intercept is free.
 * One class alone gives zero coefficients and an intercept at the largest finite log-odds that the gradient tolerance allows.
 *
 * @param options.l2     penalty per row, > 0
 * @param options.start  where to begin, e.g. the model of the neighbouring l2
 * @param options.tolerance  largest entry of the gradient at the end; that of `minimise` when absent
 * @throws RangeError when the shapes do not fit, there is no row, a cell is not finite, a weight is negative, all are 0 or l2 is not positive
 */
export function fitLogistic(
  { rows, columns, labels, weights }: LogisticInput,
  { l2, start, tolerance }: { l2: number; start?: LogisticModel; tolerance?: number },
): LogisticModel {
  const n = labels.length;
  const shares = sharesOf(weights, n);
  if (n === 0 || rows.length !== n * columns)
    throw new RangeError(`${rows.length} cells are not ${n} × ${columns}`);
  if (!(l2 > 0)) throw new RangeError(`l2 must be positive, got ${l2}`);
  if (!rows.every(Number.isFinite)) throw new RangeError('every cell must be finite');

  const from = new Float64Array(columns + 1);
  if (start !== undefined) {
    from.set(start.coefficients);
    from[columns] = start.intercept;
  }
  const at = minimise(
    (point, gradient) => lossAt({ rows, columns, labels, weights: shares }, l2, point, gradient),
    from,
    tolerance === undefined ? {} : { gradientTolerance: tolerance },
  );
  return { coefficients: at.slice(0, columns), intercept: at[columns] ?? 0 };
}

/** Margins of rows, shape [n]. */
export function linearMargins(model: LogisticModel, rows: Float32Array): Float64Array {
  const columns = model.coefficients.length;
  const margins = new Float64Array(columns === 0 ? 0 : rows.length / columns);
  for (let i = 0; i < margins.length; i++) {
    let margin = model.intercept;
    for (let j = 0; j < columns; j++) margin += (model.coefficients[j] ?? 0) * (rows[i * columns + j] ?? 0);
    margins[i] = margin;
  }
  return margins;
}

/** 1 / (1 + e^−margin), without overflow. */
export function sigmoid(margin: number): number {
  if (margin >= 0) return 1 / (1 + Math.exp(-margin));
  const odds = Math.exp(margin);
  return odds / (1 + odds);
}

/** ln(p / (1 − p)). */
export function logit(probability: number): number {
  return Math.log(probability) - Math.log1p(-probability);
}

/** ln(1 + e^x), without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Share of the whole weight that each row has. */
function sharesOf(weights: ArrayLike<number> | undefined, n: number): Float64Array {
  const shares = new Float64Array(n).fill(1 / n);
  if (weights === undefined) return shares;
  if (weights.length !== n) throw new RangeError(`${weights.length} weights for ${n} rows`);
  const total = Array.from(weights).reduce((sum, weight) => sum + weight, 0);
  const areValid = Array.from(weights).every((weight) => weight >= 0) && total > 0 && Number.isFinite(total);
  if (!areValid) throw new RangeError('weights must be finite and not negative, and one must be above 0');
  return shares.map((_, i) => (weights[i] ?? 0) / total);
}

function lossAt(
  input: Required<LogisticInput>,
  l2: number,
  point: Float64Array,
  gradient: Float64Array,
): number {
  const { rows, columns, labels, weights } = input;
  const n = labels.length;
  gradient.fill(0);
  let loss = 0;
  for (let i = 0; i < n; i++) {
    let margin = point[columns] ?? 0;
    const offset = i * columns;
    for (let j = 0; j < columns; j++) margin += (point[j] ?? 0) * (rows[offset + j] ?? 0);
    const label = labels[i] ?? 0;
    const share = weights[i] ?? 0;
    loss += share * softplus(label === 1 ? -margin : margin);
    const slope = share * (sigmoid(margin) - label);
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
