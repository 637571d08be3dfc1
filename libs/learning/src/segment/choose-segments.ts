import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { measuredMean, quantile } from '../metrics/bootstrap.js';
import { mean } from '../metrics/probability.js';
import { randomInteger, randomPermutation, seededRandom } from '../random/seeded-random.js';
import { adjustedRandIndex, clusterSizes, silhouettes } from './cluster-quality.js';
import { type ClusterMethod, clusterPoints, type Clusters, refineClusters } from './cluster-method.js';
import { nearestCentres } from './k-means.js';
import { mostlyKnownRows, type Points, takePoints } from './points.js';
import { applyScaling, type ColumnScale, fitScaling } from './scaling.js';
import type { Segmentation } from './segmentation.js';
import { columnWeights, weighColumns } from './sparse-k-means.js';

export interface SegmentOptions {
  seed: number;
  /** Largest number of segments to try; 10 when absent. */
  maxSegments?: number;
  /** `weighted` finds the columns that matter and is for many columns; chosen by their number when absent. */
  method?: ClusterMethod;
  /** Most rows that stability is measured on; 2,000 when absent. */
  sample?: number;
  /** Bootstrap samples for each number of segments; 20 when absent. */
  resamples?: number;
}

/** How well one number of segments describes the rows. */
export interface Candidate {
  k: number;
  /** Mean adjusted Rand index between the segments and those fitted on bootstrap samples. */
  stability: Measured;
  silhouette: Measured;
  /** rows of each segment */
  sizes: number[];
}

export interface ChosenSegments {
  segmentation: Segmentation;
  /** segment of each row, shape [n] */
  labels: Int32Array;
  chosen: Candidate;
  candidates: Candidate[];
  method: ClusterMethod;
  because: string;
}

interface Tried {
  candidate: Candidate;
  clusters: Clusters;
}

/** From this number of columns on, some of them probably say nothing about segments. */
const WEIGHTED_FROM = 6;
/** Stabilities at most this far below the best are as good (single bootstrap samples differ by as much), and the silhouette decides. */
const EQUALLY_STABLE = 0.1;
/** Expected share of rows beyond the threshold of novelty. */
const NOVELTY_SHARE = 0.02;
const LEVEL = 0.9;
/** Rows that the weights of columns are learned from. */
const WEIGHT_ROWS = 1_000;
/** Rows of which the silhouette is taken at least, and distances that it may cost beyond them. */
const SILHOUETTE_ROWS = 2_000;
const SILHOUETTE_DISTANCES = 6e8;

/**
 * Segments of rows, with their number chosen from the rows alone: of the numbers whose segments come back most reliably when fitted on
 * bootstrap samples (mean adjusted Rand index at most 0.1 below the best), the one with the highest mean
 * silhouette. The same seed and rows give the same segments.
 *
 * @param rows     shape [n, columns], unscaled, missing cells NaN
 * @param columns  names, shape [columns]
 * @throws DomainError DATA_INSUFFICIENT for fewer than 20 rows, or when every column is constant
 *
 * Source: Hennig (2007), "Cluster-wise assessment of cluster stability", Computational Statistics & Data Analysis 52(1).
 */
export function chooseSegments(
  rows: Points,
  columns: readonly string[],
  options: SegmentOptions,
): ChosenSegments {
  const { seed, maxSegments = 10, sample = 2_000, resamples = 20 } = options;
  const scales = fitScaling(rows);
  const scaled = applyScaling(rows, scales);
  checkEnough(scaled);
  const method = options.method ?? (columns.length < WEIGHTED_FROM ? 'k-means' : 'weighted');
  const drawnRows = sampleOf(scaled, sample, seed);
  const largest = Math.min(maxSegments, Math.floor(drawnRows.rows / 5));
  const weights =
    method === 'weighted'
      ? columnWeights(sampleOf(drawnRows, WEIGHT_ROWS, seed), { largest, seed })
      : new Float64Array(columns.length).fill(1);
  const points = weighColumns(scaled, weights);
  const drawn = scaled === drawnRows ? points : weighColumns(drawnRows, weights);
  const tried: Tried[] = [];
  for (let k = 2; k <= largest; k++) tried.push(tryNumber(drawn, { k, method, seed, resamples }));
  const best = pick(tried);
  const fitted = points === drawn ? best.clusters : refineClusters(points, best.clusters, method);
  const chosen = { ...best.candidate, sizes: [...clusterSizes(fitted.labels)] };
  if (points !== drawn) chosen.silhouette = silhouetteOf(points, fitted, seed);
  const candidates = tried.map(({ candidate }) => (candidate.k === chosen.k ? chosen : candidate));
  return {
    segmentation: segmentationOf({ columns, scales, weights }, fitted),
    labels: fitted.labels,
    chosen,
    candidates,
    method,
    because: reasonFor(chosen, candidates),
  };
}

function checkEnough(points: Points): void {
  if (points.rows < 20)
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `segments need at least 20 rows, got ${points.rows}: add rows`,
    );
  if (points.values.every((cell) => cell === 0 || Number.isNaN(cell)))
    throw new DomainError('DATA_INSUFFICIENT', 'every column is constant: name columns in which rows differ');
}

function tryNumber(
  drawn: Points,
  { k, method, seed, resamples }: { k: number; method: ClusterMethod; seed: number; resamples: number },
): Tried {
  const clusters = clusterPoints(drawn, { k, seed, method });
  const random = seededRandom(seed + k);
  const indices = Array.from({ length: resamples }, (_, r) => {
    const again = Int32Array.from({ length: drawn.rows }, () => randomInteger(random, drawn.rows));
    const other = clusterPoints(takePoints(drawn, again), { k, seed: seed + r + 1, method });
    return adjustedRandIndex(nearestCentres(drawn, other.centres).labels, clusters.labels);
  });
  const sorted = indices.toSorted((a, b) => a - b);
  const stability = {
    value: mean(indices),
    low: quantile(sorted, (1 - LEVEL) / 2) ?? 0,
    high: quantile(sorted, (1 + LEVEL) / 2) ?? 0,
    level: LEVEL,
  };
  const candidate = {
    k,
    stability,
    silhouette: silhouetteOf(drawn, clusters, seed),
    sizes: [...clusterSizes(clusters.labels)],
  };
  return { candidate, clusters };
}

/** Of the rows with more than half of their cells, in weighted columns. */
function silhouetteOf(points: Points, { labels }: Clusters, seed: number): Measured {
  const known = mostlyKnownRows(points);
  const values = silhouettes(
    takePoints(points, known),
    known.map((row) => labels[row] ?? 0),
    { seed, sample: Math.max(SILHOUETTE_ROWS, Math.floor(SILHOUETTE_DISTANCES / Math.max(1, known.length))) },
  );
  return values.length === 0
    ? { value: 0, low: 0, high: 0, level: LEVEL }
    : measuredMean(values, { seed, level: LEVEL });
}

function pick(tried: readonly Tried[]): Tried {
  const ranked = tried.toSorted((a, b) => b.candidate.stability.value - a.candidate.stability.value);
  const best = ranked[0];
  if (!best)
    throw new DomainError('DATA_INSUFFICIENT', 'there is no number of segments to try: allow at least 2');
  const asStable = ranked.filter(
    ({ candidate }) => best.candidate.stability.value - candidate.stability.value <= EQUALLY_STABLE,
  );
  return asStable.toSorted((a, b) => b.candidate.silhouette.value - a.candidate.silhouette.value)[0] ?? best;
}

function reasonFor(chosen: Candidate, candidates: readonly Candidate[]): string {
  const ranked = candidates.toSorted((a, b) => b.stability.value - a.stability.value);
  const next = ranked.find(({ k }) => k !== chosen.k);
  const own = `${chosen.k} segments come back with an adjusted Rand index of ${chosen.stability.value.toFixed(3)} on bootstrap samples (silhouette ${chosen.silhouette.value.toFixed(3)})`;
  return next === undefined
    ? `${own}; no other number was tried`
    : `${own}; next is ${next.k} with ${next.stability.value.toFixed(3)} (${next.silhouette.value.toFixed(3)})`;
}

function sampleOf(points: Points, sample: number, seed: number): Points {
  if (points.rows <= sample) return points;
  return takePoints(points, randomPermutation(seededRandom(seed), points.rows).subarray(0, sample));
}

function segmentationOf(
  { columns, scales, weights }: { columns: readonly string[]; scales: ColumnScale[]; weights: Float64Array },
  { centres, distances }: Clusters,
): Segmentation {
  const width = centres.columns;
  const sorted = distances.toSorted((a, b) => a - b);
  const counting = weights.filter((weight) => weight > 0).length;
  const at = Math.max(0, Math.ceil((1 - NOVELTY_SHARE) * sorted.length) - 1);
  return {
    columns,
    scales,
    weights: [...weights],
    centres: Array.from({ length: centres.rows }, (_, c) => [
      ...centres.values.subarray(c * width, (c + 1) * width),
    ]),
    spread: mean(distances) / Math.max(1, counting),
    reference: { rows: sorted.length, beyond: sorted.length - 1 - at, threshold: sorted[at] ?? 0 },
  };
}
