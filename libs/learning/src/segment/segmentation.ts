import { nearestCentres } from './k-means.js';
import { type Points, pointsOf, squaredDistance } from './points.js';
import { applyScaling, type ColumnScale } from './scaling.js';
import { weighColumns } from './sparse-k-means.js';

/** Fitted segments as plain JSON: everything that is needed to say to which one a customer belongs. */
export interface Segmentation {
  columns: readonly string[];
  scales: readonly ColumnScale[];
  /** weight of each column in distances, mean 1 */
  weights: readonly number[];
  /** centres in scaled and weighted columns, shape [k][columns] */
  centres: readonly (readonly number[])[];
  /** mean squared distance to the own centre, per column that counts: how far members lie */
  spread: number;
  /** upper quantiles of the squared distance to the nearest centre over the customers it was fitted on */
  reference: NoveltyReference;
}

/** What the largest distances looked like when the segments were fitted; basis of {@link findEmerging}. */
export interface NoveltyReference {
  /** customers measured */
  rows: number;
  /** how many of them lie beyond `threshold` */
  beyond: number;
  /** squared distance */
  threshold: number;
}

export interface Membership {
  /** number of the segment, from 0 */
  segment: number;
  /** posterior probability in (0, 1], with equal shares and one spherical spread: the nearest centre has the highest */
  probability: number;
  /** squared distance to the centre, in scaled and weighted columns */
  distance: number;
}

/**
 * The segment of each row, by the nearest centre. A missing cell is left out of the distance.
 *
 * @param rows  shape [n][columns], in the order of `segmentation.columns`, unscaled; NaN for unknown
 */
export function assignSegments(
  segmentation: Segmentation,
  rows: readonly (readonly number[])[],
): Membership[] {
  if (rows.length === 0) return [];
  const points = placed(segmentation, pointsOf(rows));
  const centres = pointsOf(segmentation.centres);
  const { labels, distances } = nearestCentres(points, centres);
  return rows.map((_, row) => ({
    segment: labels[row] ?? 0,
    probability: posteriorOf(segmentation, { points, centres, row, least: distances[row] ?? 0 }),
    distance: distances[row] ?? 0,
  }));
}

/** Unscaled rows in the space of the centres. */
export function placed({ scales, weights }: Segmentation, rows: Points): Points {
  return weighColumns(applyScaling(rows, scales), weights);
}

function posteriorOf(
  { spread }: Segmentation,
  at: { points: Points; centres: Points; row: number; least: number },
): number {
  let sum = 0;
  for (let other = 0; other < at.centres.rows; other++) {
    const distance = squaredDistance(at.points, at.centres, { row: at.row, other });
    sum += Math.exp(-(distance - at.least) / (2 * Math.max(1e-9, spread)));
  }
  return 1 / sum;
}
