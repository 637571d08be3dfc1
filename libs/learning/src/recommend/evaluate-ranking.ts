import { ndcgAtK, recallAtK } from '../metrics/ranking.js';
import { relevantItems, type SplitCustomer } from './interactions.js';
import { rankSlate } from './rank-slate.js';

/** One value a customer with at least one relevant item in test, in the order of the customers. */
export interface RankingQuality {
  ndcgAt10: Float64Array;
  recallAt20: Float64Array;
  /** 1 where a relevant item stands in the first 20. */
  hitAt20: Float64Array;
  /** 1 / rank of the first relevant item in the first 20, else 0. */
  reciprocalRankAt20: Float64Array;
  /** Share of all items that stand in anybody's first 10. */
  coverageAt10: number;
}

export interface RankingPolicy {
  /** Leave out every item that the customer met before, relevant or not. */
  excludeHistory: boolean;
  /** Writes the scores of all items for a customer's past into `out`, shape [items]. */
  score: (split: SplitCustomer, out: Float64Array) => void;
}

/** Customers who can be hit: those with a relevant item in test. */
export function evaluable(splits: readonly SplitCustomer[]): SplitCustomer[] {
  return splits.filter(({ test }) => test.relevant.includes(1));
}

/**
 * Ranks all items for each customer's past and compares with the relevant items that came after it.
 *
 * @param splits  customers of {@link evaluable}
 */
export function evaluateRanking(
  splits: readonly SplitCustomer[],
  itemCount: number,
  policy: RankingPolicy,
): RankingQuality {
  const per = (): Float64Array => new Float64Array(splits.length);
  const quality = { ndcgAt10: per(), recallAt20: per(), hitAt20: per(), reciprocalRankAt20: per() };
  const scores = new Float64Array(itemCount);
  const shown = new Set<number>();
  for (const [index, split] of splits.entries()) {
    policy.score(split, scores);
    const exclude: ReadonlySet<number> = policy.excludeHistory ? new Set(split.train.items) : new Set();
    const slate = rankSlate(scores, { exclude, first: 20 });
    const relevant = new Set(relevantItems(split.test));
    for (const item of slate.slice(0, 10)) shown.add(item);
    const hit = slate.findIndex((item) => relevant.has(item));
    quality.ndcgAt10[index] = ndcgAtK(slate, relevant, 10);
    quality.recallAt20[index] = recallAtK(slate, relevant, 20);
    quality.hitAt20[index] = hit === -1 ? 0 : 1;
    quality.reciprocalRankAt20[index] = hit === -1 ? 0 : 1 / (hit + 1);
  }
  return { ...quality, coverageAt10: shown.size / itemCount };
}
