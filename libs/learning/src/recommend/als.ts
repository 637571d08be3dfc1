import { DomainError } from '@sextant/domain';
import { randomNormal, seededRandom } from '../random/seeded-random.js';

export interface AlsOptions {
  /** Length of a factor, a positive integer. */
  rank: number;
  /** λ of the ridge on both sides, positive. */
  regularisation: number;
  /** Confidence of a met item is 1 + alpha; positive. */
  alpha: number;
  iterations: number;
  seed: number;
}

/** Compressed rows: the columns of row r are columns[starts[r]] … columns[starts[r + 1] − 1]. */
interface SparseRows {
  rows: number;
  starts: Uint32Array;
  columns: Uint32Array;
}

const CONJUGATE_STEPS = 3;

/**
 * Implicit-feedback ALS: factors x, y that minimise Σ c(u,i)·(p(u,i) − xᵤ·yᵢ)² + λ(‖x‖² + ‖y‖²) with p = 1 and c = 1 + α where u met i,
 * else p = 0 and c = 1. Each side is solved by three steps of conjugate gradients from where it stands, so that a pass costs
 * O(interactions · rank + (customers + items) · rank²), linear in the catalogue.
 *
 * @param baskets  distinct item indices of each customer
 * @returns        item factors y, row-major, shape [itemCount, rank]; of an item that nobody met, zeros
 * @throws DomainError DATA_INSUFFICIENT when nobody met anything, INVALID_INPUT for options that are not positive
 *
 * Source: Hu, Koren and Volinsky (2008), "Collaborative filtering for implicit feedback datasets", ICDM; the solver: Takács, Pilászy
 * and Tikk (2011), "Applications of the conjugate gradient method for implicit feedback collaborative filtering", RecSys.
 */
export function fitAls(
  baskets: readonly ArrayLike<number>[],
  itemCount: number,
  options: AlsOptions,
): Float64Array {
  checkOptions(options);
  const byCustomer = sparseRows(baskets);
  if (byCustomer.columns.length === 0)
    throw new DomainError(
      'DATA_INSUFFICIENT',
      'no customer met an item: ingest interactions, views or orders',
    );
  const byItem = transposed(byCustomer, itemCount);
  const random = seededRandom(options.seed);
  const scale = 0.1 / Math.sqrt(options.rank);
  const items = Float64Array.from({ length: itemCount * options.rank }, () => scale * randomNormal(random));
  const customers = new Float64Array(baskets.length * options.rank);
  for (let pass = 0; pass < options.iterations; pass++) {
    solveSide(byCustomer, { own: customers, other: items }, options);
    solveSide(byItem, { own: items, other: customers }, options);
  }
  for (let i = 0; i < itemCount; i++) {
    if (byItem.starts[i] === byItem.starts[i + 1]) items.fill(0, i * options.rank, (i + 1) * options.rank);
  }
  return items;
}

interface Sides {
  own: Float64Array;
  other: Float64Array;
}

function solveSide(matrix: SparseRows, { own, other }: Sides, options: AlsOptions): void {
  const { rank, regularisation } = options;
  const gram = gramOf(other, rank);
  for (let f = 0; f < rank; f++) gram[f * rank + f] = (gram[f * rank + f] as number) + regularisation;
  const work = [0, 1, 2].map(() => new Float64Array(rank));
  for (let r = 0; r < matrix.rows; r++) {
    const columns = matrix.columns.subarray(matrix.starts[r], matrix.starts[r + 1]);
    const x = own.subarray(r * rank, (r + 1) * rank);
    if (columns.length > 0) conjugateGradients(x, { gram, other, columns, alpha: options.alpha }, work);
  }
}

interface System {
  gram: Float64Array;
  other: Float64Array;
  columns: Uint32Array;
  alpha: number;
}

/** Solves (YᵀY + λI + α·Σ yᵢyᵢᵀ)·x = (1 + α)·Σ yᵢ in place. */
function conjugateGradients(x: Float64Array, system: System, work: readonly Float64Array[]): void {
  const [residual, direction, image] = work;
  if (!residual || !direction || !image) return;
  const rank = x.length;
  applySystem(x, system, image);
  for (let f = 0; f < rank; f++) residual[f] = -(image[f] as number);
  for (const column of system.columns) {
    const at = column * rank;
    for (let f = 0; f < rank; f++)
      residual[f] = (residual[f] as number) + (1 + system.alpha) * (system.other[at + f] as number);
  }
  direction.set(residual);
  let squares = dot(residual, residual);
  for (let step = 0; step < CONJUGATE_STEPS && squares > 1e-20; step++) {
    applySystem(direction, system, image);
    const length = squares / dot(direction, image);
    addScaled(x, direction, length);
    addScaled(residual, image, -length);
    const next = dot(residual, residual);
    const ratio = next / squares;
    for (let f = 0; f < rank; f++) direction[f] = (residual[f] as number) + ratio * (direction[f] as number);
    squares = next;
  }
}

function applySystem(vector: Float64Array, { gram, other, columns, alpha }: System, out: Float64Array): void {
  const rank = vector.length;
  for (let f = 0; f < rank; f++) {
    let sum = 0;
    for (let g = 0; g < rank; g++) sum += (gram[f * rank + g] as number) * (vector[g] as number);
    out[f] = sum;
  }
  for (const column of columns) {
    const at = column * rank;
    let sum = 0;
    for (let f = 0; f < rank; f++) sum += (other[at + f] as number) * (vector[f] as number);
    for (let f = 0; f < rank; f++) out[f] = (out[f] as number) + alpha * sum * (other[at + f] as number);
  }
}

/** FᵀF of row-major factors, shape [rank, rank]. */
export function gramOf(factors: Float64Array, rank: number): Float64Array {
  const gram = new Float64Array(rank * rank);
  for (let at = 0; at < factors.length; at += rank) {
    for (let f = 0; f < rank; f++) {
      const value = factors[at + f] as number;
      for (let g = 0; g <= f; g++)
        gram[f * rank + g] = (gram[f * rank + g] as number) + value * (factors[at + g] as number);
    }
  }
  for (let f = 0; f < rank; f++)
    for (let g = 0; g < f; g++) gram[g * rank + f] = gram[f * rank + g] as number;
  return gram;
}

function addScaled(to: Float64Array, vector: Float64Array, scale: number): void {
  for (let f = 0; f < to.length; f++) to[f] = (to[f] as number) + scale * (vector[f] as number);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let f = 0; f < a.length; f++) sum += (a[f] as number) * (b[f] as number);
  return sum;
}

function sparseRows(baskets: readonly ArrayLike<number>[]): SparseRows {
  const starts = new Uint32Array(baskets.length + 1);
  baskets.forEach((basket, r) => (starts[r + 1] = (starts[r] ?? 0) + basket.length));
  const columns = new Uint32Array(starts.at(-1) ?? 0);
  baskets.forEach((basket, r) => columns.set(basket, starts[r]));
  return { rows: baskets.length, starts, columns };
}

function transposed({ rows, starts, columns }: SparseRows, width: number): SparseRows {
  const own = new Uint32Array(width + 1);
  for (const column of columns) own[column + 1] = (own[column + 1] ?? 0) + 1;
  for (let c = 0; c < width; c++) own[c + 1] = (own[c + 1] ?? 0) + (own[c] ?? 0);
  const next = own.slice();
  const out = new Uint32Array(columns.length);
  for (let r = 0; r < rows; r++) {
    for (let k = starts[r] ?? 0; k < (starts[r + 1] ?? 0); k++) {
      const column = columns[k] ?? 0;
      const at = next[column] ?? 0;
      out[at] = r;
      next[column] = at + 1;
    }
  }
  return { rows: width, starts: own, columns: out };
}

function checkOptions(options: AlsOptions): void {
  for (const name of ['rank', 'regularisation', 'alpha', 'iterations'] as const) {
    if (!(options[name] > 0))
      throw new DomainError('INVALID_INPUT', `${name} must be positive, got ${options[name]}`, {
        path: name,
      });
  }
}
