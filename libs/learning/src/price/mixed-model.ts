import { DomainError } from '@sextant/domain';
import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';

/** Rows of groups (products) with one linear predictor; the first `grouped` columns have an effect of their own in each group. */
export interface GroupedRows {
  /** Row-major, shape [n, columns]; column 0 is the intercept, all 1. */
  design: Float64Array;
  columns: number;
  grouped: number;
  /** Group of each row, shape [n], in [0, groupCount). */
  groups: Int32Array;
  groupCount: number;
  /** Shape [n]; any number for `gaussian`, ≥ 0 for `poisson`. */
  target: Float64Array;
}

/** predictor(i) = Σ_c design[i,c] · (fixed[c] + deviations[group(i),c]), deviations being 0 beyond the grouped columns. */
export interface MixedModel {
  /** Shape [columns], with their standard errors. */
  fixed: Float64Array;
  fixedErrors: Float64Array;
  /** Row-major, shape [groupCount, grouped]. */
  deviations: Float64Array;
  /** Standard errors of fixed + deviation, row-major, shape [groupCount, grouped]. */
  standardErrors: Float64Array;
  /** Variance of the deviations among the groups, shape [grouped]. */
  variances: Float64Array;
  /** Residual variance (gaussian) or dispersion (poisson). */
  dispersion: number;
}

export type DemandFamily = 'gaussian' | 'poisson';

interface Moments {
  /** Σ w·x·xᵀ of each group, [groupCount, columns, columns]. */
  products: Float64Array;
  /** Σ w·x·y of each group, [groupCount, columns]. */
  sums: Float64Array;
}

/** Its variances are those after one EM step. */
interface Solution extends MixedModel {
  /** Degrees of freedom that the fit used. */
  freedom: number;
}

const MAX_ITERATIONS = 60;
const TOLERANCE = 1e-7;
const LEAST_VARIANCE = 1e-8;

/**
 * Linear mixed model: group effects are shrunk towards the common ones by as much as the data say. Effects are the best linear
 * unbiased predictions for given variances; variances come from EM, the residual variance from its degrees of freedom.
 * `poisson` has a log link and is fitted by penalised quasi-likelihood, so that rows with a target of 0 count as they should.
 *
 * @throws DomainError DATA_INSUFFICIENT when there are not more rows than columns
 *
 * Sources: Henderson (1975), "Best linear unbiased estimation and prediction under a selection model", Biometrics 31(2);
 * Dempster, Laird and Rubin (1977), JRSS B 39(1); Breslow and Clayton (1993), "Approximate inference in generalized linear mixed
 * models", JASA 88(421).
 */
export function fitMixedModel(rows: GroupedRows, family: DemandFamily): MixedModel {
  if (rows.target.length <= rows.columns) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `${rows.target.length} rows are too few for ${rows.columns} columns`,
    );
  }
  const average = rows.target.reduce((sum, y) => sum + y, 0) / rows.target.length;
  if (family === 'poisson' && !(average > 0))
    throw new DomainError('DATA_INSUFFICIENT', 'no unit was ever sold');
  let predictor: Float64Array = Float64Array.from(rows.target, (y) =>
    family === 'poisson' ? Math.log((y + average) / 2) : average,
  );
  let variances = new Float64Array(rows.grouped).fill(1);
  let dispersion = 1;
  let moments = family === 'gaussian' ? momentsOf(rows, null) : null;
  let solution: Solution | null = null;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    if (family === 'poisson') moments = momentsOf(rows, predictor);
    const previous: Solution | null = solution;
    solution = solve(rows, moments ?? momentsOf(rows, null), { variances, dispersion });
    variances = Float64Array.from(solution.variances);
    predictor = mixedPredictor(rows, solution, family);
    dispersion = dispersionOf(rows, predictor, { family, freedom: solution.freedom });
    if (previous && largestChange(previous, solution) < TOLERANCE) break;
  }
  if (!solution) throw new RangeError('at least one iteration runs');
  const { fixed, fixedErrors, deviations, standardErrors } = solution;
  return { fixed, fixedErrors, deviations, standardErrors, variances, dispersion };
}

/** Moments of the rows themselves, or of the working response and weights of a Poisson model at `predictor`. */
function momentsOf(
  { design, columns, groups, groupCount, target }: GroupedRows,
  predictor: Float64Array | null,
): Moments {
  const products = new Float64Array(groupCount * columns * columns);
  const sums = new Float64Array(groupCount * columns);
  for (let i = 0; i < target.length; i++) {
    const group = groups[i] ?? 0;
    const y = target[i] ?? 0;
    const eta = predictor?.[i] ?? 0;
    const weight = predictor ? Math.exp(eta) : 1;
    const response = predictor ? eta + (y - weight) / weight : y;
    for (let a = 0; a < columns; a++) {
      const weighted = weight * (design[i * columns + a] ?? 0);
      if (weighted === 0) continue;
      sums[group * columns + a] = (sums[group * columns + a] ?? 0) + weighted * response;
      const row = (group * columns + a) * columns;
      for (let b = 0; b < columns; b++)
        products[row + b] = (products[row + b] ?? 0) + weighted * (design[i * columns + b] ?? 0);
    }
  }
  return { products, sums };
}

/** Eliminates the group effects (Schur complement), solves for the fixed ones and substitutes back. */
function solve(
  rows: GroupedRows,
  { products, sums }: Moments,
  { variances, dispersion }: { variances: Float64Array; dispersion: number },
): Solution {
  const { columns: C, grouped: K, groupCount: G } = rows;
  const inverses: Float64Array[] = [];
  const system = new Float64Array(C * C);
  const right = new Float64Array(C);
  for (let g = 0; g < G; g++) {
    const S = products.subarray(g * C * C, (g + 1) * C * C);
    const r = sums.subarray(g * C, (g + 1) * C);
    const own = new Float64Array(K * K);
    for (let a = 0; a < K; a++) {
      for (let b = 0; b < K; b++)
        own[a * K + b] = (S[a * C + b] ?? 0) / dispersion + (a === b ? 1 / (variances[a] ?? 1) : 0);
    }
    const inverse = invertPositiveDefinite(own, K);
    inverses.push(inverse);
    const carried = multiply(inverse, S.subarray(0, K * C), { rows: K, inner: K, columns: C });
    for (let a = 0; a < C; a++) {
      for (let b = 0; b < C; b++) {
        let reduction = 0;
        for (let k = 0; k < K; k++) reduction += (S[k * C + a] ?? 0) * (carried[k * C + b] ?? 0);
        system[a * C + b] =
          (system[a * C + b] ?? 0) + (S[a * C + b] ?? 0) / dispersion - reduction / dispersion ** 2;
      }
      let reduction = 0;
      for (let k = 0; k < K; k++) reduction += (carried[k * C + a] ?? 0) * (r[k] ?? 0);
      right[a] = (right[a] ?? 0) + (r[a] ?? 0) / dispersion - reduction / dispersion ** 2;
    }
  }
  for (let a = 0; a < C; a++) system[a * C + a] = (system[a * C + a] ?? 0) * (1 + 1e-9) + 1e-9;
  const covariance = invertPositiveDefinite(system, C);
  const fixed = multiply(covariance, right, { rows: C, inner: C, columns: 1 });
  return substitute(rows, { products, sums }, { inverses, covariance, fixed, variances, dispersion });
}

/** The system after the group effects were eliminated. */
interface Eliminated {
  /** Inverse of each group's own block, [grouped, grouped]. */
  inverses: Float64Array[];
  /** Of the fixed effects, [columns, columns]. */
  covariance: Float64Array;
  fixed: Float64Array;
  variances: Float64Array;
  dispersion: number;
}

function substitute(
  { columns: C, grouped: K, groupCount: G }: GroupedRows,
  { products, sums }: Moments,
  { inverses, covariance, fixed, variances, dispersion }: Eliminated,
): Solution {
  const deviations = new Float64Array(G * K);
  const standardErrors = new Float64Array(G * K);
  const next = new Float64Array(K);
  let freedom = C;
  for (const [g, inverse] of inverses.entries()) {
    const cross = products.subarray(g * C * C, g * C * C + K * C).map((value) => value / dispersion);
    const residual = residualOf(sums.subarray(g * C, g * C + K), cross, { fixed, dispersion });
    const deviation = multiply(inverse, residual, { rows: K, inner: K, columns: 1 });
    const carried = multiply(inverse, cross, { rows: K, inner: K, columns: C });
    const spread = multiply(carried, covariance, { rows: K, inner: C, columns: C });
    for (let k = 0; k < K; k++) {
      let variance = inverse[k * K + k] ?? 0;
      for (let c = 0; c < C; c++) variance += (spread[k * C + c] ?? 0) * (carried[k * C + c] ?? 0);
      deviations[g * K + k] = deviation[k] ?? 0;
      standardErrors[g * K + k] = Math.sqrt(
        Math.max(0, variance + (covariance[k * C + k] ?? 0) - 2 * (spread[k * C + k] ?? 0)),
      );
      next[k] = (next[k] ?? 0) + ((deviation[k] ?? 0) ** 2 + variance) / G;
      freedom += 1 - (inverse[k * K + k] ?? 0) / (variances[k] ?? 1);
    }
  }
  return {
    fixed,
    fixedErrors: fixed.map((_, c) => Math.sqrt(Math.max(0, covariance[c * C + c] ?? 0))),
    deviations,
    standardErrors,
    dispersion,
    variances: next.map((v) => Math.max(LEAST_VARIANCE, v)),
    freedom,
  };
}

/** What the fixed effects leave of one group's weighted sums, shape [grouped]. */
function residualOf(
  sums: Float64Array,
  cross: Float64Array,
  { fixed, dispersion }: { fixed: Float64Array; dispersion: number },
): Float64Array {
  return sums.map((sum, k) => {
    let value = sum / dispersion;
    for (const [c, effect] of fixed.entries()) value -= (cross[k * fixed.length + c] ?? 0) * effect;
    return value;
  });
}

/** Linear predictor of each row, shape [n]; for `poisson` the logarithm of the mean, kept within ±30. */
export function mixedPredictor(
  { design, columns, grouped, groups }: GroupedRows,
  model: MixedModel,
  family: DemandFamily,
): Float64Array {
  return Float64Array.from(groups, (group, i) => {
    let sum = 0;
    for (let c = 0; c < columns; c++) {
      const deviation = c < grouped ? (model.deviations[group * grouped + c] ?? 0) : 0;
      sum += (design[i * columns + c] ?? 0) * ((model.fixed[c] ?? 0) + deviation);
    }
    return family === 'poisson' ? Math.min(30, Math.max(-30, sum)) : sum;
  });
}

/** Mean squared residual, or mean squared Pearson residual, over the rows that the fit left free. */
function dispersionOf(
  { target }: GroupedRows,
  predictor: Float64Array,
  { family, freedom }: { family: DemandFamily; freedom: number },
): number {
  let sum = 0;
  for (let i = 0; i < target.length; i++) {
    const eta = predictor[i] ?? 0;
    const expected = family === 'poisson' ? Math.exp(eta) : eta;
    sum += ((target[i] ?? 0) - expected) ** 2 / (family === 'poisson' ? expected : 1);
  }
  return Math.max(LEAST_VARIANCE, sum / Math.max(1, target.length - freedom));
}

function largestChange(before: MixedModel, after: MixedModel): number {
  let largest = 0;
  for (const [c, value] of after.fixed.entries())
    largest = Math.max(largest, Math.abs(value - (before.fixed[c] ?? 0)));
  for (const [d, value] of after.deviations.entries())
    largest = Math.max(largest, Math.abs(value - (before.deviations[d] ?? 0)));
  return largest;
}

function multiply(
  a: Float64Array,
  b: Float64Array,
  size: { rows: number; inner: number; columns: number },
): Float64Array {
  const { rows, inner, columns } = size;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const factor = a[i * inner + k] ?? 0;
      for (let j = 0; j < columns; j++)
        out[i * columns + j] = (out[i * columns + j] ?? 0) + factor * (b[k * columns + j] ?? 0);
    }
  }
  return out;
}
