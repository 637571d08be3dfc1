import { ndcgAtK } from '../metrics/ranking.js';
import { rankSlate } from '../recommend/rank-slate.js';
import type { IndexedSession } from './sessions.js';

/** One value a predicted view, in the order of the sessions. */
export interface SessionQuality {
  hitAt20: Float64Array;
  reciprocalRankAt20: Float64Array;
  ndcgAt20: Float64Array;
  /** Items that stood in any slate. */
  shown: number;
}

/** Writes the scores of all items after the views so far into `out`, shape [items]. */
export type SessionScorer = (viewed: Uint32Array, out: Float64Array) => void;

const CUT_OFF = 20;

/**
 * Predicts each view but the first of each session from the views before it, and tells where it stood among all items.
 * This is the usual protocol of next-item prediction: one prediction a prefix, one relevant item each.
 */
export function evaluateSessions(
  sessions: readonly IndexedSession[],
  itemCount: number,
  score: SessionScorer,
): SessionQuality {
  const predictions = sessions.reduce((sum, { items }) => sum + Math.max(0, items.length - 1), 0);
  const quality = {
    hitAt20: new Float64Array(predictions),
    reciprocalRankAt20: new Float64Array(predictions),
    ndcgAt20: new Float64Array(predictions),
  };
  const scores = new Float64Array(itemCount);
  const shown = new Set<number>();
  let at = 0;
  for (const { items } of sessions) {
    for (let next = 1; next < items.length; next++, at++) {
      score(items.subarray(0, next), scores);
      const slate = rankSlate(scores, { first: CUT_OFF });
      for (const item of slate) shown.add(item);
      const rank = slate.indexOf(items[next] ?? -1);
      quality.hitAt20[at] = rank >= 0 ? 1 : 0;
      quality.reciprocalRankAt20[at] = rank >= 0 ? 1 / (rank + 1) : 0;
      quality.ndcgAt20[at] = ndcgAtK(slate, new Set([items[next] ?? -1]), CUT_OFF);
    }
  }
  return { ...quality, shown: shown.size };
}
