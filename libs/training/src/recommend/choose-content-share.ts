import { mean } from '@sextant/learning';
import {
  evaluable,
  evaluateRanking,
  fitRecommender,
  recommenderScore,
  type RecommenderChoice,
  type SplitCustomer,
} from '@sextant/learning/recommend';
import type { MatrixProduct } from '@sextant/learning/linear-algebra';

const SHARES = [1, 0.5, 0.25, 0];

export interface ContentChoice {
  /** Share of what similar items have that a cold item gets; 0 where cold items would only displace better ones. */
  share: number;
  /** NDCG@10 on the inner split without content and with the chosen share. */
  without: number;
  withShare: number;
}

/**
 * Chooses how much items that nobody met are lent, on the inner split, where some items are new of themselves: the highest NDCG@10 over
 * all items, of equals the larger share. Without content is among the candidates, so that it is never worse there.
 *
 * @param inner    the inner split of the training part
 * @param content  cosine between items, shape [itemCount, itemCount]
 */
export async function chooseContentShare(
  inner: readonly SplitCustomer[],
  choice: RecommenderChoice,
  { itemCount, content, product }: { itemCount: number; content: Float32Array; product: MatrixProduct },
): Promise<ContentChoice> {
  const judged = evaluable(inner);
  const past = inner.map(({ train }) => train);
  const tried: { share: number; ndcg: number }[] = [];
  for (const share of judged.length === 0 ? [0] : SHARES) {
    const fitted = await fitRecommender(past, itemCount, { ...choice, content: { content, share } }, product);
    const policy = {
      excludeHistory: choice.excludeHistory,
      score: recommenderScore(fitted, choice.tauItems),
    };
    const { ndcgAt10 } = evaluateRanking(judged, itemCount, policy);
    tried.push({ share, ndcg: judged.length === 0 ? 0 : mean(ndcgAt10) });
  }
  const best = tried.reduce((top, one) => (one.ndcg > top.ndcg ? one : top));
  return { share: best.share, without: tried.at(-1)?.ndcg ?? 0, withShare: best.ndcg };
}
