import { ndcgAtK } from '../metrics/ranking.js';
import { weighHistory } from './history-weights.js';
import { relevantItems, type SplitCustomer } from './interactions.js';
import { rankSlate } from './rank-slate.js';

/**
 * Scores of all items for each customer's past.
 *
 * @param weights   row-major, shape [itemCount, itemCount]
 * @returns         row-major, shape [judged.length, itemCount]
 */
export function scoreMatrix(
  judged: readonly SplitCustomer[],
  itemCount: number,
  { weights, tauItems }: { weights: Float32Array; tauItems: number | null },
): Float32Array {
  const scores = new Float32Array(judged.length * itemCount);
  const row = new Float64Array(itemCount);
  for (const [c, { train }] of judged.entries()) {
    const history = weighHistory(relevantItems(train), tauItems);
    row.fill(0);
    for (let h = 0; h < history.items.length; h++) {
      const weight = history.weights[h] as number;
      const from = (history.items[h] as number) * itemCount;
      for (let j = 0; j < itemCount; j++)
        row[j] = (row[j] as number) + weight * (weights[from + j] as number);
    }
    scores.set(row, c * itemCount);
  }
  return scores;
}

/** NDCG@10 of each customer by the sum of score matrices. */
export function ndcgOfSum(
  judged: readonly SplitCustomer[],
  itemCount: number,
  { scores, excludeHistory }: { scores: readonly Float32Array[]; excludeHistory: boolean },
): Float64Array {
  const sum = new Float64Array(itemCount);
  return Float64Array.from(judged, ({ train, test }, c) => {
    sum.fill(0);
    for (const matrix of scores) {
      const from = c * itemCount;
      for (let j = 0; j < itemCount; j++) sum[j] = (sum[j] as number) + (matrix[from + j] as number);
    }
    if (excludeHistory) for (const item of train.items) sum[item] = Number.NaN;
    return ndcgAtK(rankSlate(sum, { first: 10 }), new Set(relevantItems(test)), 10);
  });
}
