import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { measuredAuc } from '../metrics/bootstrap.js';
import { randomPermutation, seededRandom } from '../random/seeded-random.js';
import { fitLogistic, linearMargins, type LogisticModel, sigmoid } from '../score/logistic.js';
import type { Points } from './points.js';
import { applyScaling, type ColumnScale, fitScaling } from './scaling.js';

/** A fitted likeness to a seed audience, plain JSON. */
export interface Lookalike {
  columns: readonly string[];
  scales: readonly ColumnScale[];
  coefficients: readonly number[];
  intercept: number;
  /** lowest score of the audience; 1 beyond any score when the audience is empty */
  threshold: number;
}

/** How many of the seed are found again when the audience has a size. */
export interface ExpansionPoint {
  /** customers outside the seed */
  size: number;
  threshold: number;
  /** share of the seed with a cross-fitted score at or above the threshold */
  seedRecall: number;
}

export interface LookalikeResult {
  model: Lookalike;
  /** rows of the audience, most alike first; never one of the seed */
  audience: number[];
  /** of seed against rest, each row scored by a model that has not seen it */
  auc: Measured;
  expansion: ExpansionPoint[];
}

const FOLDS = 5;
const LEAST_SEED = 20;
const PENALTY = 0.01;

/**
 * Customers most like a seed: logistic regression of seed against all others on scaled columns (missing is the mean), both sides
 * with equal total weight, so that scores do not depend on the size of the seed.
 *
 * @param rows           all customers, shape [n, columns], unscaled, NaN for unknown
 * @param options.isSeed shape [n], 1 for the seed
 * @param options.size   most customers wanted; fewer when there are not so many outside the seed
 * @throws DomainError DATA_INSUFFICIENT for a seed under 20 customers, or with no more than that outside it
 */
export function findLookalikes(
  rows: Points,
  columns: readonly string[],
  { isSeed, size, seed }: { isSeed: ArrayLike<number>; size: number; seed: number },
): LookalikeResult {
  const labels = Float64Array.from({ length: rows.rows }, (_, i) => (isSeed[i] ? 1 : 0));
  const seeds = labels.reduce((sum, label) => sum + label, 0);
  if (seeds < LEAST_SEED || rows.rows - seeds < LEAST_SEED) {
    const message = `a lookalike needs ${LEAST_SEED} customers in the seed and as many outside, got ${seeds} and ${rows.rows - seeds}: choose another seed segment`;
    throw new DomainError('DATA_INSUFFICIENT', message, { path: 'seedSegmentId' });
  }
  const scales = fitScaling(rows);
  const cells = filled(applyScaling(rows, scales));
  const table = { cells, columns: rows.columns, labels };
  const honest = crossFitted(table, seed);
  const fitted = fitBalanced(table);
  const outside = [...labels.keys()].filter((row) => labels[row] === 0);
  const margins = linearMargins(fitted, cells);
  const ranked = outside.toSorted((a, b) => (margins[b] ?? 0) - (margins[a] ?? 0) || a - b);
  const audience = ranked.slice(0, Math.max(0, Math.floor(size)));
  const last = audience.at(-1);
  return {
    model: {
      columns,
      scales,
      coefficients: [...fitted.coefficients],
      intercept: fitted.intercept,
      threshold: last === undefined ? 1 : sigmoid(margins[last] ?? 0),
    },
    audience,
    auc: measuredAuc(labels, honest, { seed }),
    expansion: expansionOf(ranked, margins, { honest, labels }),
  };
}

/** Likeness to the seed in [0, 1], ½ where both sides are equally likely; shape [n]. */
export function lookalikeScores(model: Lookalike, rows: Points): Float64Array {
  const cells = filled(applyScaling(rows, model.scales));
  const fitted = { coefficients: Float64Array.from(model.coefficients), intercept: model.intercept };
  return linearMargins(fitted, cells).map(sigmoid);
}

interface Table {
  /** row-major, no NaN */
  cells: Float32Array;
  columns: number;
  labels: Float64Array;
}

/** Equal total weight of both sides, by the prior: the intercept is moved by the log-odds of the seed's share. */
function fitBalanced({ cells, columns, labels }: Table): LogisticModel {
  const fitted = fitLogistic({ rows: cells, columns, labels }, { l2: PENALTY });
  const share = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  return { ...fitted, intercept: fitted.intercept - Math.log(share / (1 - share)) };
}

function crossFitted({ cells, columns, labels }: Table, seed: number): Float64Array {
  const fold = new Uint8Array(labels.length);
  const random = seededRandom(seed);
  for (const side of [0, 1]) {
    const members = [...labels.keys()].filter((row) => labels[row] === side);
    randomPermutation(random, members.length).forEach((at, rank) => (fold[members[at] ?? 0] = rank % FOLDS));
  }
  const scores = new Float64Array(labels.length);
  for (let held = 0; held < FOLDS; held++) {
    const inside = [...labels.keys()].filter((row) => fold[row] !== held);
    const train = {
      cells: takeCells(cells, columns, inside),
      columns,
      labels: labels.filter((_, row) => fold[row] !== held),
    };
    const margins = linearMargins(fitBalanced(train), cells);
    fold.forEach((of, row) => {
      if (of === held) scores[row] = margins[row] ?? 0;
    });
  }
  return scores;
}

/** At the sizes 1, 2, 5, 10, 20 and 50 % of those outside the seed. */
function expansionOf(
  ranked: readonly number[],
  margins: Float64Array,
  { honest, labels }: { honest: Float64Array; labels: Float64Array },
): ExpansionPoint[] {
  const seeds = [...labels.keys()].filter((row) => labels[row] === 1);
  return [0.01, 0.02, 0.05, 0.1, 0.2, 0.5].flatMap((share) => {
    const size = Math.round(share * ranked.length);
    const last = ranked[size - 1];
    if (last === undefined) return [];
    const margin = margins[last] ?? 0;
    const found = seeds.filter((row) => (honest[row] ?? 0) >= margin).length;
    return [{ size, threshold: sigmoid(margin), seedRecall: found / seeds.length }];
  });
}

function takeCells(cells: Float32Array, columns: number, rows: readonly number[]): Float32Array {
  const taken = new Float32Array(rows.length * columns);
  rows.forEach((row, i) => taken.set(cells.subarray(row * columns, (row + 1) * columns), i * columns));
  return taken;
}

function filled({ values }: Points): Float32Array {
  return Float32Array.from(values, (cell) => (Number.isNaN(cell) ? 0 : cell));
}
