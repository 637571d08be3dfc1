import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { normalQuantile } from '../calibration/normal-quantile.js';
import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';

/** Demand rows with something that moves the price and reaches demand by nothing else: a cost, a tax, a random draw. */
export interface InstrumentedDemand {
  /** Shape [n] each. */
  logUnits: Float64Array;
  logPrice: Float64Array;
  instrument: Float64Array;
  /** Held fixed: numeric context, each of shape [n]. */
  controls: readonly Float64Array[];
  /** Product of each row, shape [n]: every product has a level of its own. */
  groups: ArrayLike<number>;
  /** Rows of one cluster may err together, shape [n]. */
  clusters: ArrayLike<number>;
}

export interface InstrumentedElasticity {
  /** d ln units / d ln price, with its two-sided interval. */
  elasticity: Measured;
  /** Cluster-robust F of the instrument in the regression of the log price. */
  firstStageF: number;
  /** F below 10: the interval cannot be trusted (Staiger and Stock). */
  isWeak: boolean;
  /** The same regression without the instrument: the distance is what endogeneity makes. */
  ordinary: number;
}

const WEAK_F = 10;
const RIDGE = 1e-9;

/**
 * Elasticity by two-stage least squares with one instrument, a level for each product, controls partialled out, and standard errors robust to
 * clusters. With one instrument it is the ratio of two covariances, cov(z, ln units) / cov(z, ln price).
 *
 * @param level  two-sided confidence, in (0, 1)
 * @throws RangeError when lengths differ
 * @throws DomainError DATA_INSUFFICIENT when fewer rows than unknowns are there, or the instrument or the price does not vary
 *   within a product
 *
 * Sources: Wooldridge (2010), "Econometric Analysis of Cross Section and Panel Data", ch. 5; Frisch and Waugh (1933) for the
 * partialling out; Staiger and Stock (1997), "Instrumental variables regression with weak instruments", Econometrica 65(3).
 */
export function twoStageElasticity(demand: InstrumentedDemand, level = 0.95): InstrumentedElasticity {
  checkLengths(demand);
  const { groups, clusters } = demand;
  const controls = demand.controls.map((column) => withinGroups(column, groups));
  const [y, x, z] = [demand.logUnits, demand.logPrice, demand.instrument].map((column) =>
    partialOut(withinGroups(column, groups), controls),
  ) as [Float64Array, Float64Array, Float64Array];
  const groupCount = new Set(Array.from(groups)).size;
  const free = y.length - groupCount - controls.length - 1;
  const [zz, zx, xx] = [dot(z, z), dot(z, x), dot(x, x)];
  if (free < 1 || !(zz > varianceFloor(demand.instrument)) || !(xx > varianceFloor(demand.logPrice))) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      'an elasticity by instrument needs an instrument and a price that vary within a product, and more rows than products',
    );
  }
  const correction = (y.length - 1) / free;
  const first = zx / zz;
  const firstErrors = clusterSum(z, x, { slope: first, regressor: z, clusters });
  const firstStageF = (first * first) / ((correction * firstErrors) / (zz * zz));
  const value = dot(z, y) / zx;
  const errors = clusterSum(z, y, { slope: value, regressor: x, clusters });
  const margin = (normalQuantile((1 + level) / 2) * Math.sqrt(correction * errors)) / Math.abs(zx);
  return {
    elasticity: { value, low: value - margin, high: value + margin, level },
    firstStageF,
    isWeak: !(firstStageF >= WEAK_F),
    ordinary: dot(x, y) / xx,
  };
}

function checkLengths({
  logUnits,
  logPrice,
  instrument,
  controls,
  groups,
  clusters,
}: InstrumentedDemand): void {
  const lengths = [logPrice, instrument, ...controls, groups, clusters].map(({ length }) => length);
  if (lengths.some((length) => length !== logUnits.length))
    throw new RangeError(`lengths differ: ${logUnits.length} log units, others ${lengths.join(', ')}`);
}

/** What rounding leaves of a column that does not vary within groups. */
function varianceFloor(column: Float64Array): number {
  return 1e-12 * (1 + dot(column, column));
}

function withinGroups(column: Float64Array, groups: ArrayLike<number>): Float64Array {
  const sums = new Map<number, { sum: number; rows: number }>();
  for (const [i, value] of column.entries()) {
    const group = groups[i] ?? 0;
    const found = sums.get(group);
    if (found) {
      found.sum += value;
      found.rows += 1;
    } else sums.set(group, { sum: value, rows: 1 });
  }
  return column.map((value, i) => {
    const found = sums.get(groups[i] ?? 0);
    return value - (found ? found.sum / found.rows : 0);
  });
}

/** Residuals of a least-squares regression on the controls. */
function partialOut(column: Float64Array, controls: readonly Float64Array[]): Float64Array {
  const size = controls.length;
  if (size === 0) return column;
  const system = new Float64Array(size * size);
  controls.forEach((a, i) =>
    controls.forEach((b, j) => {
      system[i * size + j] = dot(a, b) * (i === j ? 1 + RIDGE : 1) + (i === j ? RIDGE : 0);
    }),
  );
  const inverse = invertPositiveDefinite(system, size);
  const right = controls.map((control) => dot(control, column));
  const slopes = controls.map((_, i) =>
    right.reduce((sum, value, j) => sum + value * (inverse[i * size + j] ?? 0), 0),
  );
  return column.map(
    (value, row) => value - slopes.reduce((sum, slope, c) => sum + slope * (controls[c]?.[row] ?? 0), 0),
  );
}

/** Σ over clusters of (Σ z · residual)². */
function clusterSum(
  z: Float64Array,
  target: Float64Array,
  { slope, regressor, clusters }: { slope: number; regressor: Float64Array; clusters: ArrayLike<number> },
): number {
  const sums = new Map<number, number>();
  for (const [i, value] of z.entries()) {
    const residual = (target[i] ?? 0) - slope * (regressor[i] ?? 0);
    const cluster = clusters[i] ?? 0;
    sums.set(cluster, (sums.get(cluster) ?? 0) + value * residual);
  }
  let total = 0;
  for (const sum of sums.values()) total += sum * sum;
  return total;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (const [i, value] of a.entries()) sum += value * (b[i] ?? 0);
  return sum;
}
