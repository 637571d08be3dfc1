import { DomainError } from '@sextant/domain';
import { invertPositiveDefinite } from '../linear-algebra/positive-definite.js';
import type { WeighedHistory } from './history-weights.js';

/** A fitted item-to-item model with the popularity prior as its last row. */
export interface ItemSimilarity {
  itemCount: number;
  /** Row-major, shape [itemCount + 1, itemCount]: row i holds the weights from item i to every item, the last row the prior. */
  matrix: Float32Array;
}

/** The prior's largest value as a share of a typical strongest similarity: it orders customers without history and breaks ties. */
const PRIOR_SHARE = 1e-4;

/**
 * Co-occurrence counts G = XᵀX of binary X: how many customers had both items (diagonal: the item).
 *
 * @param baskets    distinct item indices of each customer
 * @returns          row-major, shape [itemCount, itemCount]; only the lower triangle and the diagonal are filled
 */
export function coOccurrence(baskets: Iterable<ArrayLike<number>>, itemCount: number): Float64Array {
  const counts = new Float64Array(itemCount * itemCount);
  for (const basket of baskets) {
    for (let a = 0; a < basket.length; a++) {
      const i = basket[a] ?? 0;
      for (let b = 0; b <= a; b++) {
        const j = basket[b] ?? 0;
        const at = i > j ? i * itemCount + j : j * itemCount + i;
        counts[at] = (counts[at] ?? 0) + 1;
      }
    }
  }
  return counts;
}

/**
 * EASE, the shallow linear autoencoder: B = argmin ‖X − X·B‖² + λ‖B‖² with a zero diagonal, in closed form
 * B[i,j] = −P[i,j] / P[j,j] with P = (XᵀX + λI)⁻¹. The popularity prior stands below it as one more row.
 *
 * @param counts      as given by {@link coOccurrence}
 * @param popularity  shape [itemCount], non-negative, any scale
 * @throws DomainError DATA_INSUFFICIENT when there is no item, INVALID_INPUT when lambda is not positive
 *
 * Source: Steck (2019), "Embarrassingly shallow autoencoders for sparse data", WWW.
 */
export function fitEase(counts: Float64Array, popularity: ArrayLike<number>, lambda: number): ItemSimilarity {
  const n = popularity.length;
  if (n === 0) throw new DomainError('DATA_INSUFFICIENT', 'there is no item to recommend');
  if (!(lambda > 0))
    throw new DomainError('INVALID_INPUT', `lambda must be positive, got ${lambda}`, { path: 'lambda' });
  const regularised = counts.slice();
  for (let i = 0; i < n; i++) regularised[i * n + i] = (regularised[i * n + i] ?? 0) + lambda;
  const precision = invertPositiveDefinite(regularised, n);
  const matrix = new Float32Array((n + 1) * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (i !== j) matrix[i * n + j] = -(precision[i * n + j] ?? 0) / (precision[j * n + j] ?? 1);
    }
  }
  writePrior(matrix, popularity);
  return { itemCount: n, matrix };
}

/**
 * Scores of every item for one history: weights · B plus the prior, in the model's own float32 weights.
 *
 * @param out  shape [itemCount], overwritten
 */
export function scoreItems(similarity: ItemSimilarity, history: WeighedHistory, out: Float64Array): void {
  const { itemCount, matrix } = similarity;
  out.set(matrix.subarray(itemCount * itemCount));
  for (let h = 0; h < history.items.length; h++) {
    const weight = history.weights[h] ?? 0;
    const offset = (history.items[h] ?? 0) * itemCount;
    for (let j = 0; j < itemCount; j++) out[j] = (out[j] as number) + weight * (matrix[offset + j] as number);
  }
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
  const { itemCount, matrix } = similarity;
  const contributions: HistoryContribution[] = [];
  for (let h = 0; h < history.items.length; h++) {
    const source = history.items[h] ?? 0;
    const contribution = (history.weights[h] ?? 0) * (matrix[source * itemCount + item] ?? 0);
    if (contribution > 0) contributions.push({ item: source, contribution });
  }
  return contributions
    .toSorted((a, b) => b.contribution - a.contribution || a.item - b.item)
    .slice(0, reasons);
}

/** Scales popularity to PRIOR_SHARE of the median over items of the strongest similarity, so that it never outvotes a signal. */
function writePrior(matrix: Float32Array, popularity: ArrayLike<number>): void {
  const n = popularity.length;
  const strongest = Float64Array.from({ length: n }, (_, i) =>
    matrix.subarray(i * n, (i + 1) * n).reduce((max, value) => Math.max(max, value), 0),
  )
    .filter((value) => value > 0)
    .sort();
  const typical = strongest[strongest.length >> 1] ?? 1;
  const top = Math.max(...Array.from({ length: n }, (_, j) => popularity[j] ?? 0)) || 1;
  for (let j = 0; j < n; j++) matrix[n * n + j] = ((popularity[j] ?? 0) / top) * typical * PRIOR_SHARE;
}
