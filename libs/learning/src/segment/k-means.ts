import { type Random, randomInteger, seededRandom } from '../random/seeded-random.js';
import { completeDistance, isMissingAt, type Points, squaredDistance, takePoints } from './points.js';

export interface KMeans {
  /** shape [k, columns] */
  centres: Points;
  /** nearest centre of each row, shape [rows] */
  labels: Int32Array;
  /** sum of squared distances to the nearest centre */
  inertia: number;
}

export interface KMeansOptions {
  k: number;
  seed: number;
  /** Starts of which the best is kept; 10 when absent. */
  restarts?: number;
}

const MAX_ROUNDS = 100;

/**
 * k-means: the best of several runs of Lloyd's iteration from k-means++ seeds. Missing cells take no part in distances and means
 * (as in k-POD, which fills them from the centre). A cluster that loses all rows is put to the row farthest from its centre.
 *
 * @param points  shape [n, columns], n ≥ 1
 * @throws RangeError unless k is an integer in 1..n
 *
 * Source: Arthur and Vassilvitskii (2007), "k-means++: the advantages of careful seeding", SODA; Lloyd (1982), IEEE Transactions
 * on Information Theory 28(2); Chi, Chi and Baraniuk (2016), "k-POD", The American Statistician 70(1).
 */
export function fitKMeans(points: Points, { k, seed, restarts = 10 }: KMeansOptions): KMeans {
  if (!Number.isInteger(k) || k < 1 || k > points.rows)
    throw new RangeError(`k must be an integer from 1 to the ${points.rows} rows, got ${k}`);
  const random = seededRandom(seed);
  let best: KMeans | null = null;
  for (let run = 0; run < Math.max(1, restarts); run++) {
    const found = iterate(points, seedCentres(points, k, random));
    if (best === null || found.inertia < best.inertia) best = found;
  }
  return best ?? iterate(points, seedCentres(points, k, random));
}

/** Lloyd's iteration from given centres, shape [k, columns]. */
export function refineKMeans(points: Points, centres: Points): KMeans {
  return iterate(points, centres);
}

/** The nearest centre of each row, the lower number at a tie, and the squared distance to it. */
export function nearestCentres(
  points: Points,
  centres: Points,
): { labels: Int32Array; distances: Float64Array } {
  const labels = new Int32Array(points.rows);
  const distances = new Float64Array(points.rows);
  for (let i = 0; i < points.rows; i++) {
    const isComplete = !isMissingAt(points, i);
    let [nearest, least] = [0, Infinity];
    for (let c = 0; c < centres.rows; c++) {
      const distance = isComplete
        ? completeDistance(points, centres, { row: i, other: c })
        : squaredDistance(points, centres, { row: i, other: c });
      if (distance < least) [nearest, least] = [c, distance];
    }
    labels[i] = nearest;
    distances[i] = least;
  }
  return { labels, distances };
}

function iterate(points: Points, start: Points): KMeans {
  let centres = start;
  let current = nearestCentres(points, centres);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    centres = meansOf(points, current, centres);
    const next = nearestCentres(points, centres);
    const moved = next.labels.reduce((count, label, i) => count + Number(label !== current.labels[i]), 0);
    current = next;
    if (moved === 0) break;
  }
  return { centres, labels: current.labels, inertia: current.distances.reduce((sum, d) => sum + d, 0) };
}

/** Draws each further centre with probability proportional to the squared distance from those before. */
function seedCentres(points: Points, k: number, random: Random): Points {
  const chosen = [randomInteger(random, points.rows)];
  const distances = new Float64Array(points.rows).fill(Infinity);
  while (chosen.length < k) {
    const last = chosen.at(-1) ?? 0;
    let total = 0;
    for (let i = 0; i < points.rows; i++) {
      const distance = squaredDistance(points, points, { row: i, other: last });
      distances[i] = Math.min(distances[i] ?? Infinity, distance);
      total += distances[i] ?? 0;
    }
    chosen.push(drawByWeight(distances, total, random));
  }
  const centres = takePoints(points, chosen);
  fillMissing(centres);
  return centres;
}

function drawByWeight(weights: Float64Array, total: number, random: Random): number {
  if (!(total > 0)) return randomInteger(random, weights.length);
  let left = random() * total;
  for (let i = 0; i < weights.length; i++) {
    left -= weights[i] ?? 0;
    if (left < 0) return i;
  }
  return weights.length - 1;
}

/** A seed that lacks a cell stands at the middle of the scale there. */
function fillMissing({ values }: Points): void {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = 0;
}

function meansOf(
  points: Points,
  { labels, distances }: { labels: Int32Array; distances: Float64Array },
  before: Points,
): Points {
  const { columns } = points;
  const sums = new Float64Array(before.values.length);
  const counts = new Float64Array(before.values.length);
  const sizes = new Float64Array(before.rows);
  for (let i = 0; i < points.rows; i++) {
    const offset = (labels[i] ?? 0) * columns;
    sizes[labels[i] ?? 0] = (sizes[labels[i] ?? 0] ?? 0) + 1;
    for (let j = 0; j < columns; j++) {
      const cell = points.values[i * columns + j] ?? NaN;
      if (Number.isNaN(cell)) continue;
      sums[offset + j] = (sums[offset + j] ?? 0) + cell;
      counts[offset + j] = (counts[offset + j] ?? 0) + 1;
    }
  }
  const values = sums.map((sum, at) =>
    (counts[at] ?? 0) > 0 ? sum / (counts[at] ?? 1) : (before.values[at] ?? 0),
  );
  const centres = { values, rows: before.rows, columns };
  const taken = distances.slice();
  sizes.forEach((size, cluster) => {
    if (size === 0) moveToFarthest(points, centres, { cluster, distances: taken });
  });
  return centres;
}

function moveToFarthest(
  points: Points,
  centres: Points,
  { cluster, distances }: { cluster: number; distances: Float64Array },
): void {
  let farthest = 0;
  for (let i = 1; i < distances.length; i++)
    if ((distances[i] ?? 0) > (distances[farthest] ?? 0)) farthest = i;
  distances[farthest] = 0;
  const row = takePoints(points, [farthest]);
  fillMissing(row);
  centres.values.set(row.values, cluster * points.columns);
}
