import type { ReferenceFeature, ReferenceScore } from '@sextant/artefacts';
import { chiSquareOf, kolmogorovDistance, populationStability } from '../drift/divergence.js';
import { allInSecond, chiSquareTail, kolmogorovTail } from '../drift/tail-probabilities.js';
import type { BinCounts } from '../sketch/table-sketch.js';

type ReferenceColumn = Pick<ReferenceFeature | ReferenceScore, 'binning' | 'bins' | 'missing'>;

/** How a column of a window differs from its reference. */
export interface ColumnShift {
  /** population stability index over the present cells, in about twenty bins, less what chance alone is expected to make of it */
  psi: number;
  /** at the bins' ends; null for categories */
  ksDistance: number | null;
  /** that one distribution gives both */
  shiftP: number;
  missingRate: { reference: number; current: number };
  /** that one rate gives both */
  missingP: number;
  /** the one bin that holds every present row although the reference spreads, with the chance of it; null where there is none */
  frozen: { share: number; pValue: number } | null;
}

/** A bin that holds this share of the reference may well hold all of a window. */
const MOSTLY = 0.9;
/** Least share of a bin that the stability index is taken over. */
const LEAST_SHARE = 0.05;
/** What rare and unknown categories together count as at least. */
const LEAST_RARE = 0.01;

/** @param weight  how much one row counts as evidence, in (0, 1]: subjects over rows */
export function columnShift(reference: ReferenceColumn, current: BinCounts, weight = 1): ColumnShift {
  const bins = reference.bins;
  const now = current.bins.map((rows) => rows * weight);
  const missingNow = current.missing * weight;
  const [n, m] = [sum(bins), sum(now)];
  const { statistic, degrees } = chiSquareOf(bins, now);
  const isNumeric = reference.binning.kind === 'numeric';
  const ksDistance = isNumeric ? kolmogorovDistance(bins, now) : null;
  const chiP = chiSquareTail(statistic, degrees);
  const ksP = ksDistance !== null && n > 0 && m > 0 ? kolmogorovTail(ksDistance, n, m) : 1;
  return {
    psi: stabilityBeyondChance(coarsened(reference.binning.kind, bins, now)),
    ksDistance,
    shiftP: Math.min(1, isNumeric ? 2 * Math.min(chiP, ksP) : chiP),
    missingRate: { reference: rate(reference.missing, n), current: rate(missingNow, m) },
    missingP: missingP([n, reference.missing], [m, missingNow]),
    frozen: frozenBin(bins, now),
  };
}

/**
 * Bins of about a twentieth of the reference and more: an index over finer ones would mostly tell of a few rows beyond the reference's
 * range, and ever louder the larger the reference. Numbers join their neighbours; of categories, the rare and the unknown are one.
 */
export function coarsened(
  kind: ReferenceColumn['binning']['kind'],
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
): [reference: number[], current: number[]] {
  const total = sum(reference);
  const [before, now]: [number[], number[]] = [[], []];
  let [a, b] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    a += reference[i] ?? 0;
    b += current[i] ?? 0;
    if (a < LEAST_SHARE * total || (kind === 'categorical' && i === reference.length - 1)) continue;
    before.push(a);
    now.push(b);
    [a, b] = [0, 0];
  }
  if (kind === 'categorical')
    return [
      [...before, Math.max(a, LEAST_RARE * total)],
      [...now, b],
    ];
  const last = before.length - 1;
  if (last < 0) return [[a], [b]];
  before[last] = (before[last] ?? 0) + a;
  now[last] = (now[last] ?? 0) + b;
  return [before, now];
}

/**
 * The index of two histograms less its expectation where both are samples of one distribution, (bins − 1)(1/n + 1/m); at least 0.
 *
 * Source: Yurdakul and Naranjo (2020), "Statistical properties of the population stability index", Journal of Risk Model Validation 14(4).
 */
export function stabilityBeyondChance([reference, current]: readonly [
  readonly number[],
  readonly number[],
]): number {
  const [n, m] = [sum(reference), sum(current)];
  if (n === 0 || m === 0) return 0;
  const expected = (reference.length - 1) * (1 / n + 1 / m);
  return Math.max(0, populationStability(reference, current) - expected);
}

/** Standard deviation of the index by chance: it is about a chi-squared variable times (1/n + 1/m). */
export function stabilityNoise([reference, current]: readonly [
  readonly number[],
  readonly number[],
]): number {
  const [n, m] = [sum(reference), sum(current)];
  return n === 0 || m === 0 ? Infinity : Math.sqrt(2 * (reference.length - 1)) * (1 / n + 1 / m);
}

function missingP([n, missing]: [number, number], [m, missingNow]: [number, number]): number {
  if (missing === 0) return allInSecond(Math.floor(missingNow), n, m + missingNow);
  const { statistic, degrees } = chiSquareOf([n, missing], [m, missingNow]);
  return chiSquareTail(statistic, degrees);
}

function frozenBin(reference: readonly number[], now: Float64Array): ColumnShift['frozen'] {
  const [n, m] = [sum(reference), sum(now)];
  const bin = now.findIndex((rows) => rows > 0);
  if (n === 0 || bin < 0 || now[bin] !== m) return null;
  const share = (reference[bin] ?? 0) / n;
  if (share > MOSTLY) return null;
  return { share, pValue: Math.min(1, now.length * Math.max(share, 1 / n) ** m) };
}

function rate(missing: number, present: number): number {
  return missing === 0 ? 0 : missing / (missing + present);
}

export function sum(counts: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] ?? 0;
  return total;
}
