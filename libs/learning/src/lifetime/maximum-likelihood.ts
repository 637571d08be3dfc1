import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';
import { minimise, type Objective } from '../score/minimise.js';

/** Logarithms of the parameters are what is searched; `value` and gradient are of the whole sample's negative log-likelihood. */
export interface Likelihood {
  negativeLogLikelihood: Objective;
  /** Customers in the sample. */
  size: number;
  /** Logarithms of parameters to start from. */
  starts: readonly (readonly number[])[];
}

export interface MaximumLikelihood {
  /** Logarithms of the parameters at the maximum. */
  point: Float64Array;
  logLikelihood: number;
  /** Standard errors of the logarithms, from the Hessian; NaN where the data say nothing about a parameter. */
  standardErrors: Float64Array;
}

/** Weight of the whole sample's prior on log parameters: moves no third digit, keeps a flat likelihood's maximum finite. */
const RIDGE = 1e-3;
const SCOUT_ITERATIONS = 12;
const NEWTON_STEPS = 4;
const HESSIAN_STEP = 1e-4;
export const INTERVAL_LEVEL = 0.9;
const INTERVAL_Z = 1.6448536269514722;

/**
 * Maximum of a likelihood over positive parameters: a few steps from every start, then the best of them to convergence by
 * L-BFGS and Newton on the logarithms.
 *
 * Standard errors come from the inverse Hessian (observed information), which is differenced from the analytic gradient.
 */
export function maximiseLikelihood({ negativeLogLikelihood, size, starts }: Likelihood): MaximumLikelihood {
  const objective = penalised(negativeLogLikelihood, size);
  const scouted = starts
    .map((start) => minimise(objective, Float64Array.from(start), { maxIterations: SCOUT_ITERATIONS }))
    .map((point) => ({ point, value: objective(point, new Float64Array(point.length)) }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => a.value - b.value);
  const scout = scouted[0]?.point;
  if (scout === undefined) throw new RangeError('the likelihood is finite at none of the starts');
  const point = polish(
    objective,
    minimise(objective, scout, { gradientTolerance: 1e-6, maxIterations: 300 }),
  );
  const information = hessian(objective, point).map((entry) => entry * size);
  const covariance = invert(information, point.length);
  return {
    point,
    logLikelihood: -negativeLogLikelihood(point, new Float64Array(point.length)),
    standardErrors: point.map((_, i) => Math.sqrt(covariance?.[i * point.length + i] ?? Number.NaN)),
  };
}

/** A parameter with its interval, symmetric in the logarithm. */
export function measuredParameter(log: number, standardError: number): Measured {
  const spread = INTERVAL_Z * (Number.isNaN(standardError) ? Infinity : standardError);
  const value = Math.exp(log);
  return {
    value,
    low: Math.exp(log - spread),
    high: Math.min(Number.MAX_VALUE, Math.exp(log + spread)),
    level: INTERVAL_LEVEL,
  };
}

/** Mean a customer, with the ridge. */
function penalised(negativeLogLikelihood: Objective, size: number): Objective {
  return (point, gradient) => {
    let value = negativeLogLikelihood(point, gradient) / size;
    for (let i = 0; i < point.length; i++) {
      const x = point[i] ?? 0;
      value += (RIDGE / size) * 0.5 * x * x;
      gradient[i] = (gradient[i] ?? 0) / size + (RIDGE / size) * x;
    }
    return value;
  };
}

/** Newton steps, each kept only where it lowers the objective. */
function polish(objective: Objective, start: Float64Array): Float64Array {
  let point = start;
  const gradient = new Float64Array(point.length);
  let value = objective(point, gradient);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    if (gradient.every((slope) => Math.abs(slope) < 1e-10)) break;
    const inverse = invert(hessian(objective, point), point.length);
    if (inverse === null) break;
    const size = point.length;
    const next = point.map((x, i) => {
      let move = 0;
      for (let j = 0; j < size; j++) move += (inverse[i * size + j] ?? 0) * (gradient[j] ?? 0);
      return x - move;
    });
    const nextGradient = new Float64Array(size);
    const nextValue = objective(next, nextGradient);
    if (!(nextValue <= value)) break;
    point = next;
    value = nextValue;
    gradient.set(nextGradient);
  }
  return point;
}

/** Central differences of the gradient, symmetrised; row-major [n, n]. */
function hessian(objective: Objective, point: Float64Array): Float64Array {
  const n = point.length;
  const matrix = new Float64Array(n * n);
  const [up, down] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    const moved = Float64Array.from(point);
    moved[i] = (point[i] ?? 0) + HESSIAN_STEP;
    objective(moved, up);
    moved[i] = (point[i] ?? 0) - HESSIAN_STEP;
    objective(moved, down);
    for (let j = 0; j < n; j++) {
      const slope = ((up[j] ?? 0) - (down[j] ?? 0)) / (2 * HESSIAN_STEP);
      matrix[i * n + j] = (matrix[i * n + j] ?? 0) + slope / 2;
      matrix[j * n + i] = (matrix[j * n + i] ?? 0) + slope / 2;
    }
  }
  return matrix;
}

/** Null when the matrix is not positive definite: then the data say nothing about some direction. */
function invert(matrix: Float64Array, n: number): Float64Array | null {
  try {
    return invertPositiveDefinite(matrix, n);
  } catch (error) {
    if (error instanceof DomainError) return null;
    throw error;
  }
}
