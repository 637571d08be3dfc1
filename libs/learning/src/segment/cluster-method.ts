import { fitGaussianMixture } from './gaussian-mixture.js';
import { fitKMeans, nearestCentres, refineKMeans } from './k-means.js';
import { completeRows, type Points, takePoints } from './points.js';

/**
 * `weighted` is k-means on columns weighted by how much segments differ in them (sparse k-means); a `mixture` learns elongated and
 * unequal segments and is then served by its means.
 */
export type ClusterMethod = 'k-means' | 'weighted' | 'mixture';

export interface Clusters {
  centres: Points;
  labels: Int32Array;
  /** squared distance of each row to the nearest centre */
  distances: Float64Array;
}

/** Clusters of scaled (and weighed) points; rows with missing cells count by the cells that they have. */
export function clusterPoints(
  points: Points,
  { k, seed, method }: { k: number; seed: number; method: ClusterMethod },
): Clusters {
  const centres =
    method === 'mixture' ? mixtureMeans(points, k, seed) : fitKMeans(points, { k, seed }).centres;
  return { centres, ...nearestCentres(points, centres) };
}

/** The same clusters moved to where many more rows put them. */
export function refineClusters(points: Points, start: Clusters, method: ClusterMethod): Clusters {
  const centres = method === 'mixture' ? start.centres : refineKMeans(points, start.centres).centres;
  return { centres, ...nearestCentres(points, centres) };
}

/** A mixture knows no missing cells: it is fitted on complete rows. */
function mixtureMeans(points: Points, k: number, seed: number): Points {
  const complete = takePoints(points, completeRows(points));
  return fitGaussianMixture(complete, { k, seed, covariance: 'full' }).means;
}
