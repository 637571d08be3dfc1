import { mean } from '../metrics/probability.js';
import type { Points } from './points.js';

/** How one column is brought to a common scale: an optional logarithm, then centre and spread, then a bound on extremes. */
export interface ColumnScale {
  /** ln(1 + (x − shift)) before anything else */
  log: boolean;
  shift: number;
  mean: number;
  /** standard deviation, 1 for a constant column */
  deviation: number;
}

/** Columns more skewed than this are taken on a logarithmic scale, when that makes them less skewed. */
const SKEWED = 1;
/** Scaled values end here: one extreme customer is no segment. */
export const SCALED_BOUND = 3;

/**
 * The scale of each column, from its known cells: a column with skewness above 1 whose logarithm is less skewed (counts, money) is taken
 * as a logarithm; then mean 0 and standard deviation 1. Mean and deviation are chosen over median and quartiles because after
 * the logarithm and the bound they are no less robust, and quartiles of a count that is mostly 1 are no scale at all.
 *
 * @param points  shape [rows, columns], missing cells NaN
 * @returns       shape [columns]; a constant or wholly missing column becomes 0 everywhere
 */
export function fitScaling(points: Points): ColumnScale[] {
  return Array.from({ length: points.columns }, (_, column) => scaleOf(knownCells(points, column)));
}

/** The same rows on the common scale, within ±{@link SCALED_BOUND}; missing cells stay missing. */
export function applyScaling(points: Points, scales: readonly ColumnScale[]): Points {
  const { rows, columns } = points;
  const values = new Float64Array(rows * columns);
  scales.forEach((scale, column) => {
    for (let i = 0; i < rows; i++)
      values[i * columns + column] = scaled(points.values[i * columns + column] ?? NaN, scale);
  });
  return { values, rows, columns };
}

export function scaled(value: number, scale: ColumnScale): number {
  const z = (transformed(value, scale) - scale.mean) / scale.deviation;
  return Math.max(-SCALED_BOUND, Math.min(SCALED_BOUND, z));
}

function scaleOf(cells: readonly number[]): ColumnScale {
  const shift = cells.reduce((low, cell) => Math.min(low, cell), 0);
  const plain = momentsOf(cells);
  const logged = momentsOf(cells.map((cell) => Math.log1p(cell - shift)));
  const log = plain.skewness > SKEWED && Math.abs(logged.skewness) < plain.skewness;
  const chosen = log ? logged : plain;
  return { log, shift, mean: chosen.mean, deviation: chosen.deviation };
}

function transformed(value: number, { log, shift }: ColumnScale): number {
  return log ? Math.log1p(Math.max(0, value - shift)) : value;
}

function knownCells({ values, rows, columns }: Points, column: number): number[] {
  const cells: number[] = [];
  for (let i = 0; i < rows; i++) {
    const cell = values[i * columns + column] ?? NaN;
    if (!Number.isNaN(cell)) cells.push(cell);
  }
  return cells;
}

function momentsOf(cells: readonly number[]): { mean: number; deviation: number; skewness: number } {
  if (cells.length === 0) return { mean: 0, deviation: 1, skewness: 0 };
  const centre = mean(cells);
  const variance = mean(cells.map((cell) => (cell - centre) ** 2));
  const deviation = Math.sqrt(variance);
  if (!(deviation > 1e-12 * (1 + Math.abs(centre)))) return { mean: centre, deviation: 1, skewness: 0 };
  return {
    mean: centre,
    deviation,
    skewness: mean(cells.map((cell) => (cell - centre) ** 3)) / (variance * deviation),
  };
}
