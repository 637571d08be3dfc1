import { DomainError } from '@sextant/domain';

export interface SlateOptions {
  /** Item indices that must not appear. */
  exclude?: ReadonlySet<number>;
  /** Wanted length, a positive integer. */
  first: number;
}

/**
 * The best items by score, without duplicates. Equal scores keep the order of the item indices, so a slate never depends on
 * the sort. A NaN score is never ranked.
 *
 * @param scores  shape [items]
 * @returns       item indices, best first; shorter than `first` where too few are left
 * @throws DomainError INVALID_INPUT when first is not a positive integer
 */
export function rankSlate(scores: ArrayLike<number>, { exclude, first }: SlateOptions): number[] {
  if (!Number.isInteger(first) || first < 1) {
    throw new DomainError('INVALID_INPUT', `first must be a positive integer, got ${first}`, {
      path: 'first',
    });
  }
  const slate: number[] = [];
  let worst = Number.NEGATIVE_INFINITY;
  for (let item = 0; item < scores.length; item++) {
    const score = scores[item] ?? Number.NaN;
    if (Number.isNaN(score) || (slate.length === first && score <= worst) || exclude?.has(item)) continue;
    if (slate.length === first) slate.pop();
    slate.splice(insertionPoint(slate, scores, score), 0, item);
    worst = scores[slate.at(-1) ?? 0] ?? worst;
  }
  return slate;
}

/** First position whose score is lower; equal scores stay in front. */
function insertionPoint(slate: readonly number[], scores: ArrayLike<number>, score: number): number {
  let [low, high] = [0, slate.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((scores[slate[middle] ?? 0] ?? 0) >= score) low = middle + 1;
    else high = middle;
  }
  return low;
}
