import type { AlsOptions } from './als.js';
import type { BlendCandidate } from './blend-subsets.js';
import { scoreItems } from './ease.js';
import { evaluateRanking } from './evaluate-ranking.js';
import { fitFactorSimilarity } from './factor-similarity.js';
import { weighHistory } from './history-weights.js';
import type { InnerSplit } from './inner-split.js';
import { relevantItems, type SplitCustomer } from './interactions.js';

export const DEFAULT_ALS = { rank: 64, regularisation: 1, alpha: 10, iterations: 8 } as const;

const ALPHAS = [2, 10, 40];
const TAUS: readonly (number | null)[] = [null, 20, 5];

/** ALS at several confidences under several memories, judged like any blend. */
export async function alsCandidates(
  inner: InnerSplit,
  { seed, onCandidate }: { seed: number; onCandidate?: (fits: number) => void | Promise<void> },
): Promise<BlendCandidate[]> {
  const candidates: BlendCandidate[] = [];
  for (const [fits, alpha] of ALPHAS.entries()) {
    const als: AlsOptions = { ...DEFAULT_ALS, alpha, seed };
    const similarity = fitFactorSimilarity(inner.past, inner.itemCount, {
      ...als,
      popularityHalfLifeDays: null,
    });
    for (const tauItems of TAUS) {
      for (const excludeHistory of inner.exclusions) {
        const score = ({ train }: SplitCustomer, out: Float64Array): void =>
          scoreItems(similarity, weighHistory(relevantItems(train), tauItems), out);
        const ndcg = evaluateRanking(inner.judged, inner.itemCount, { excludeHistory, score }).ndcgAt10;
        candidates.push({ components: [], als, tauItems, excludeHistory, ndcg });
      }
    }
    await onCandidate?.(fits + 1);
  }
  return candidates;
}
