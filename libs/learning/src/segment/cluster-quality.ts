import { randomPermutation, seededRandom } from '../random/seeded-random.js';
import { completeDistance, hasMissing, type Points, squaredDistance } from './points.js';

/**
 * Adjusted Rand index of two partitions of the same rows: 1 for equal ones (whatever the numbers), 0 on average for random ones.
 *
 * @returns in [−1, 1]; 1 when both have one cluster, or as many as rows
 * @throws RangeError when the lengths differ
 *
 * Source: Hubert and Arabie (1985), "Comparing partitions", Journal of Classification 2(1).
 */
export function adjustedRandIndex(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`lengths differ: ${a.length} and ${b.length}`);
  const [cells, rows, columns] = [
    new Map<string, number>(),
    new Map<number, number>(),
    new Map<number, number>(),
  ];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    cells.set(`${x}/${y}`, (cells.get(`${x}/${y}`) ?? 0) + 1);
    rows.set(x, (rows.get(x) ?? 0) + 1);
    columns.set(y, (columns.get(y) ?? 0) + 1);
  }
  const together = pairs(cells.values());
  const [ofA, ofB] = [pairs(rows.values()), pairs(columns.values())];
  const all = (a.length * (a.length - 1)) / 2;
  const expected = all === 0 ? 0 : (ofA * ofB) / all;
  const largest = (ofA + ofB) / 2;
  return largest === expected ? 1 : (together - expected) / (largest - expected);
}

function pairs(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += (count * (count - 1)) / 2;
  return sum;
}

/**
 * Silhouette of rows: (b − a) / max(a, b), with a the mean distance to the own cluster and b the least mean distance to another
 * one; 0 for a cluster of one. Distances are Euclidean, to all rows, also when only a sample of rows is asked for.
 *
 * @param options.sample  most rows to measure, drawn with `seed`; all when there are no more
 * @returns one value per measured row, in [−1, 1]; empty when fewer than two clusters hold rows
 *
 * Source: Rousseeuw (1987), "Silhouettes", Journal of Computational and Applied Mathematics 20.
 */
export function silhouettes(
  points: Points,
  labels: ArrayLike<number>,
  { sample = 2_000, seed = 1 }: { sample?: number; seed?: number } = {},
): Float64Array {
  const sizes = clusterSizes(labels);
  if (sizes.filter((size) => size > 0).length < 2) return new Float64Array(0);
  const distance = hasMissing(points) ? squaredDistance : completeDistance;
  const order =
    points.rows <= sample
      ? Uint32Array.from({ length: points.rows }, (_, i) => i)
      : randomPermutation(seededRandom(seed), points.rows).subarray(0, sample);
  return Float64Array.from(order, (row) => silhouetteOf(points, labels, { row, sizes, distance }));
}

function silhouetteOf(
  points: Points,
  labels: ArrayLike<number>,
  { row, sizes, distance }: { row: number; sizes: Float64Array; distance: typeof squaredDistance },
): number {
  const sums = new Float64Array(sizes.length);
  for (let i = 0; i < points.rows; i++) {
    const label = labels[i] ?? 0;
    sums[label] = (sums[label] ?? 0) + Math.sqrt(distance(points, points, { row, other: i }));
  }
  const own = labels[row] ?? 0;
  const others = (sizes[own] ?? 0) - 1;
  if (others <= 0) return 0;
  const inside = (sums[own] ?? 0) / others;
  let outside = Infinity;
  sums.forEach((sum, label) => {
    const size = sizes[label] ?? 0;
    if (label !== own && size > 0) outside = Math.min(outside, sum / size);
  });
  const largest = Math.max(inside, outside);
  return largest === 0 ? 0 : (outside - inside) / largest;
}

/** Rows of each cluster number, from 0. */
export function clusterSizes(labels: ArrayLike<number>): Float64Array {
  let clusters = 0;
  for (let i = 0; i < labels.length; i++) clusters = Math.max(clusters, (labels[i] ?? 0) + 1);
  const sizes = new Float64Array(clusters);
  for (let i = 0; i < labels.length; i++) sizes[labels[i] ?? 0] = (sizes[labels[i] ?? 0] ?? 0) + 1;
  return sizes;
}
