import { fitKMeans, type KMeans, type KMeansOptions } from './k-means.js';
import type { Points } from './points.js';

export interface SparseKMeans extends KMeans {
  /** Weight of each column, mean 1; 0 for columns in which the clusters do not differ. */
  weights: Float64Array;
}

/** Bound on the sum of the weights, as a share of √columns, at Euclidean length 1: about half of the columns may matter. */
const SPARSITY = 0.7;
const ROUNDS = 6;

/**
 * k-means that finds the columns in which clusters differ: alternates k-means on weighted columns with the weights that maximise
 * Σ wⱼ · (between-cluster sum of squares)ⱼ under |w|₂ ≤ 1, |w|₁ ≤ 0.7 √columns, w ≥ 0. Columns that only add noise get weight 0 and
 * no longer blur the distances.
 *
 * @returns  centres in the weighted space, i.e. of columns times √weight ({@link weighColumns})
 *
 * Source: Witten and Tibshirani (2010), "A framework for feature selection in clustering", JASA 105(490).
 */
export function fitSparseKMeans(points: Points, options: KMeansOptions): SparseKMeans {
  let weights = new Float64Array(points.columns).fill(1);
  let fitted = fitKMeans(points, options);
  for (let round = 0; round < ROUNDS; round++) {
    const next = boundedWeights(betweenSquares(points, fitted.labels, options.k));
    const change = next.reduce((sum, weight, j) => sum + Math.abs(weight - (weights[j] ?? 0)), 0);
    weights = next;
    fitted = fitKMeans(weighColumns(points, weights), options);
    if (change < 1e-4 * points.columns) break;
  }
  return { ...fitted, weights };
}

/**
 * Weights of columns for any number of clusters: the mean of those that 2, 3, … `largest` clusters give. One set for all, so that
 * different numbers of clusters are compared in the same space.
 */
export function columnWeights(
  points: Points,
  { largest, seed }: { largest: number; seed: number },
): Float64Array {
  const weights = new Float64Array(points.columns);
  for (let k = 2; k <= largest; k++) {
    const fitted = fitSparseKMeans(points, { k, seed, restarts: 5 });
    fitted.weights.forEach((weight, j) => (weights[j] = (weights[j] ?? 0) + weight / (largest - 1)));
  }
  return largest < 2 ? weights.fill(1) : weights;
}

/** Each column times the square root of its weight, so that squared distances are weighted sums. */
export function weighColumns(points: Points, weights: ArrayLike<number>): Points {
  const { columns, rows } = points;
  const roots = Float64Array.from({ length: columns }, (_, j) => Math.sqrt(weights[j] ?? 1));
  return { values: points.values.map((cell, at) => cell * (roots[at % columns] ?? 1)), rows, columns };
}

/** Total less within-cluster sum of squares of each column, over its known cells. */
function betweenSquares({ values, rows, columns }: Points, labels: Int32Array, k: number): Float64Array {
  const between = new Float64Array(columns);
  for (let j = 0; j < columns; j++) {
    const sums = new Float64Array(k);
    const counts = new Float64Array(k);
    for (let i = 0; i < rows; i++) {
      const cell = values[i * columns + j] ?? NaN;
      const label = labels[i] ?? 0;
      if (Number.isNaN(cell)) continue;
      sums[label] = (sums[label] ?? 0) + cell;
      counts[label] = (counts[label] ?? 0) + 1;
    }
    const n = counts.reduce((sum, count) => sum + count, 0);
    const mean = n === 0 ? 0 : sums.reduce((sum, value) => sum + value, 0) / n;
    sums.forEach((sum, c) => {
      const count = counts[c] ?? 0;
      if (count > 0) between[j] = (between[j] ?? 0) + count * (sum / count - mean) ** 2;
    });
  }
  return between;
}

/** Soft-thresholded and normalised; the threshold is the smallest at which the sum of the weights keeps its bound. */
function boundedWeights(between: Float64Array): Float64Array<ArrayBuffer> {
  const columns = between.length;
  const bound = Math.max(1, SPARSITY * Math.sqrt(columns));
  let [low, high] = [0, Math.max(...between) * (1 - 1e-9)];
  let weights = thresholded(between, 0);
  if (sumOf(weights) > bound) {
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2;
      if (sumOf(thresholded(between, middle)) > bound) low = middle;
      else high = middle;
    }
    weights = thresholded(between, high);
  }
  const total = sumOf(weights);
  return total > 0 ? weights.map((weight) => (weight * columns) / total) : weights.fill(1);
}

function thresholded(between: Float64Array, threshold: number): Float64Array<ArrayBuffer> {
  const weights = Float64Array.from(between, (value) => Math.max(0, value - threshold));
  const length = Math.hypot(...weights);
  return length > 0 ? weights.map((weight) => weight / length) : weights;
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}
