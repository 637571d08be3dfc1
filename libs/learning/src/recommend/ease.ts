import { DomainError } from '@sextant/domain';
import { invertByBlocks } from '../linear-algebra/blocked-inverse.js';
import type { MatrixProduct } from '../linear-algebra/matrix-product.js';
import type { WeighedHistory } from './history-weights.js';

/** A fitted item-to-item model with the popularity prior as its last row. */
export interface DenseSimilarity {
  itemCount: number;
  /** Row-major, shape [itemCount + 1, itemCount]: row i holds the weights from item i to every item, the last row the prior. */
  matrix: Float32Array;
}

/** The same as a product of two thin matrices, for catalogues whose square would not fit. */
export interface FactorSimilarity {
  itemCount: number;
  rank: number;
  /** Row-major, shape [itemCount + 1, rank]: what each item, and in the last row the prior, adds to the customer's factor. */
  sources: Float32Array;
  /** Row-major, shape [rank, itemCount]. */
  targets: Float32Array;
}

export type ItemSimilarity = DenseSimilarity | FactorSimilarity;

export function isDense(similarity: ItemSimilarity): similarity is DenseSimilarity {
  return 'matrix' in similarity;
}

/** The weight from one item to another; from `itemCount` it is the prior. */
export function weightBetween(similarity: ItemSimilarity, from: number, to: number): number {
  const { itemCount } = similarity;
  if (isDense(similarity)) return similarity.matrix[from * itemCount + to] ?? 0;
  const { rank, sources, targets } = similarity;
  let sum = 0;
  for (let f = 0; f < rank; f++)
    sum += (sources[from * rank + f] as number) * (targets[f * itemCount + to] as number);
  return sum;
}

/** The prior's largest value as a share of a typical strongest similarity: it orders customers without history and breaks ties. */
const PRIOR_SHARE = 1e-4;

/**
 * EASE, the shallow linear autoencoder: B = argmin ‖X − X·B‖² + λ‖B‖² with a zero diagonal, in closed form
 * B[i,j] = −P[i,j] / P[j,j] with P = (XᵀX + λI)⁻¹.
 *
 * @param gram   XᵀX, row-major, shape [n, n], of which the lower triangle is read; overwritten
 * @returns      B, row-major, shape [n, n]
 * @throws DomainError DATA_INSUFFICIENT when there is no item, INVALID_INPUT when lambda is not positive
 *
 * Source: Steck (2019), "Embarrassingly shallow autoencoders for sparse data", WWW.
 */
export async function easeWeights(
  gram: Float64Array,
  n: number,
  { lambda, product }: { lambda: number; product?: MatrixProduct },
): Promise<Float32Array> {
  if (n === 0) throw new DomainError('DATA_INSUFFICIENT', 'there is no item to recommend');
  if (!(lambda > 0))
    throw new DomainError('INVALID_INPUT', `lambda must be positive, got ${lambda}`, { path: 'lambda' });
  for (let i = 0; i < n; i++) gram[i * n + i] = (gram[i * n + i] as number) + lambda;
  const precision = await invertByBlocks(gram, n, product);
  const weights = new Float32Array(n * n);
  const diagonal = Float64Array.from({ length: n }, (_, j) => precision[j * n + j] as number);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i !== j) weights[i * n + j] = -(precision[i * n + j] as number) / (diagonal[j] as number);
    }
  }
  return weights;
}

/**
 * Puts the popularity prior below weights between items. It is scaled to a small share of the median over items of their strongest
 * weight: it orders customers without history and breaks ties, and never outvotes a signal.
 *
 * @param weights     row-major, shape [n, n]
 * @param popularity  shape [n], non-negative, any scale
 */
export function withPrior(weights: Float32Array, popularity: ArrayLike<number>): DenseSimilarity {
  const n = popularity.length;
  const matrix = new Float32Array((n + 1) * n);
  matrix.set(weights);
  writePrior(matrix, popularity);
  return { itemCount: n, matrix };
}

/**
 * Scores of every item for one history: weights · B plus the prior, in the model's own float32 weights.
 *
 * @param out  shape [itemCount], overwritten
 */
export function scoreItems(similarity: ItemSimilarity, history: WeighedHistory, out: Float64Array): void {
  const { itemCount } = similarity;
  const [items, weights] = [
    [...history.items, itemCount],
    [...history.weights, 1],
  ];
  if (isDense(similarity)) {
    addRows(similarity.matrix, { items, weights }, out.fill(0));
    return;
  }
  const factor = new Float64Array(similarity.rank);
  addRows(similarity.sources, { items, weights }, factor);
  const all = Array.from({ length: similarity.rank }, (_, f) => f);
  addRows(similarity.targets, { items: all, weights: factor }, out.fill(0));
}

/** Adds weighted rows of a matrix as wide as `out`. */
function addRows(
  matrix: Float32Array,
  rows: { items: readonly number[]; weights: ArrayLike<number> },
  out: Float64Array,
): void {
  const width = out.length;
  rows.items.forEach((item, r) => {
    const [weight, from] = [rows.weights[r] as number, item * width];
    for (let j = 0; j < width; j++) out[j] = (out[j] as number) + weight * (matrix[from + j] as number);
  });
}

export interface HistoryContribution {
  item: number;
  contribution: number;
}

/**
 * Exact reasons of one score: weight × similarity of each history item, largest first; with the prior they sum to the score.
 *
 * @param reasons  number of contributions wanted; only positive ones are reasons
 */
export function explainItem(
  similarity: ItemSimilarity,
  history: WeighedHistory,
  item: number,
  reasons: number,
): HistoryContribution[] {
  const contributions: HistoryContribution[] = [];
  for (let h = 0; h < history.items.length; h++) {
    const source = history.items[h] ?? 0;
    const contribution = (history.weights[h] ?? 0) * weightBetween(similarity, source, item);
    if (contribution > 0) contributions.push({ item: source, contribution });
  }
  return contributions
    .toSorted((a, b) => b.contribution - a.contribution || a.item - b.item)
    .slice(0, reasons);
}

function writePrior(matrix: Float32Array, popularity: ArrayLike<number>): void {
  const n = popularity.length;
  const strongest = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let max = 0;
    for (let j = 0; j < n; j++) max = Math.max(max, matrix[i * n + j] as number);
    strongest[i] = max;
  }
  const signals = strongest.filter((value) => value > 0).sort();
  const typical = signals[signals.length >> 1] ?? 1;
  let top = 0;
  for (let j = 0; j < n; j++) top = Math.max(top, popularity[j] ?? 0);
  for (let j = 0; j < n; j++) matrix[n * n + j] = ((popularity[j] ?? 0) / (top || 1)) * typical * PRIOR_SHARE;
}
