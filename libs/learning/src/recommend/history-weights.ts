import { DomainError } from '@sextant/domain';

/** The items a customer is known for, each once, with the weight that the model reads. */
export interface WeighedHistory {
  /** Item indices, oldest first, distinct. */
  items: Uint32Array;
  /** Weight of each item, shape [items.length], in (0, 1]. */
  weights: Float64Array;
}

/**
 * Weights of a history by recency: exp(−age / tau) with age counted in items, so that the newest item has age 0 and weight 1.
 *
 * @param length    number of items, oldest first
 * @param tauItems  items after which a weight has fallen to 1/e; null weighs all items 1
 * @returns         shape [length], ascending
 * @throws DomainError INVALID_INPUT when tauItems is not positive
 */
export function historyWeights(length: number, tauItems: number | null): Float64Array {
  if (tauItems !== null && !(tauItems > 0)) {
    throw new DomainError('INVALID_INPUT', `tauItems must be positive or null, got ${tauItems}`, {
      path: 'tauItems',
    });
  }
  return Float64Array.from({ length }, (_, i) =>
    tauItems === null ? 1 : Math.exp(-(length - 1 - i) / tauItems),
  );
}

/**
 * The one way from a history to the model's input, for trainer and worker alike: of a repeated item only the latest
 * occurrence counts, and ages are counted among distinct items.
 *
 * @param history  item indices, oldest first; repeats allowed
 */
export function weighHistory(history: ArrayLike<number>, tauItems: number | null): WeighedHistory {
  const newestFirst = new Set<number>();
  for (let i = history.length - 1; i >= 0; i--) newestFirst.add(history[i] ?? 0);
  const items = Uint32Array.from(newestFirst).reverse();
  return { items, weights: historyWeights(items.length, tauItems) };
}

/**
 * Fills one row of the model's input: weights at their items, 1 in the last column (the popularity prior), 0 elsewhere.
 *
 * @param row  shape [items + 1], overwritten
 */
export function fillHistoryRow(row: Float32Array, history: WeighedHistory): void {
  row.fill(0);
  for (let i = 0; i < history.items.length; i++) row[history.items[i] ?? 0] = history.weights[i] ?? 0;
  row[row.length - 1] = 1;
}
