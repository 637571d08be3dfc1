import { explainItem, type ItemSimilarity, weightBetween } from './ease.js';
import type { WeighedHistory } from './history-weights.js';

/** Why an item stands in a slate. */
export type ItemReason =
  | { kind: 'because-of'; items: number[] }
  | { kind: 'similar-to'; item: number; category: string | null }
  | { kind: 'popular' };

export interface ReasonContext {
  /** Whether nobody met the item yet, so that its weights are lent by similar ones; none is when absent. */
  isCold?: (item: number) => boolean;
  /** In [0, 1], as of the content; needed for the reasons of cold items. */
  likeness?: (a: number, b: number) => number;
  categoryOf?: (item: number) => string | null;
}

/** Items that a reason names at most. */
const MOST_NAMED = 2;

/**
 * The strongest reason of one score: the history items whose weights make it, unless the prior outweighs them. Of a cold item it is the
 * history item that its content is most like, with the category where both share one.
 */
export function reasonOfItem(
  similarity: ItemSimilarity,
  history: WeighedHistory,
  item: number,
  { isCold, likeness, categoryOf }: ReasonContext = {},
): ItemReason {
  const contributions = explainItem(similarity, history, item, MOST_NAMED);
  const total = contributions.reduce((sum, { contribution }) => sum + contribution, 0);
  if (total <= weightBetween(similarity, similarity.itemCount, item)) return { kind: 'popular' };
  if (!isCold?.(item) || !likeness)
    return { kind: 'because-of', items: contributions.map((contribution) => contribution.item) };
  const closest = [...history.items].reduce((top, own) =>
    likeness(own, item) > likeness(top, item) ? own : top,
  );
  const category = categoryOf?.(item) ?? null;
  return {
    kind: 'similar-to',
    item: closest,
    category: category === categoryOf?.(closest) ? category : null,
  };
}

/** A plain sentence. @param titleOf  what customers call an item */
export function reasonSentence(reason: ItemReason, titleOf: (item: number) => string): string {
  switch (reason.kind) {
    case 'because-of':
      return `because of ${reason.items.map(titleOf).join(' and ')}`;
    case 'similar-to':
      return `similar to ${titleOf(reason.item)}${reason.category === null ? '' : ` in ${reason.category}`}`;
    case 'popular':
      return 'popular now';
  }
}
