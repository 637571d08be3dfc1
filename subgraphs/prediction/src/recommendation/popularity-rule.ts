import type { PopularItem } from '@sextant/features';
import type { Slate } from '@sextant/inference-protocol';

/** As much of a tenant's popular products as decides one slate, so that the log can keep it. */
export interface SeenPopularity {
  /** customers of the most popular product */
  most: number;
  /** admissible products of the same categories, and the others, each most popular first */
  related: readonly PopularItem[];
  others: readonly PopularItem[];
}

interface AskedSlate {
  exclude: readonly string[];
  first: number;
}

/** What may be shown of the popular products. */
export function admissible(popular: readonly PopularItem[], { exclude }: AskedSlate): PopularItem[] {
  const excluded = new Set(exclude);
  return popular.filter(({ productId }) => !excluded.has(productId));
}

/** @param popular  most popular first */
export function popularityOf(
  popular: readonly PopularItem[],
  related: ReadonlySet<string>,
  asked: AskedSlate,
): SeenPopularity {
  const candidates = admissible(popular, asked);
  const firstOf = (isRelated: boolean): PopularItem[] =>
    candidates
      .filter(({ productId }) => related.has(productId) === isRelated)
      .slice(0, asked.first)
      .map(({ productId, customers }) => ({ productId, customers }));
  return { most: popular[0]?.customers ?? 1, related: firstOf(true), others: firstOf(false) };
}

/** Related products first, then the others; score = share of the most popular one's customers. */
export function slateByPopularity({ most, related, others }: SeenPopularity, asked: AskedSlate): Slate {
  const items = admissible([...related, ...others], asked)
    .slice(0, asked.first)
    .map(({ productId, customers }) => ({
      item: productId,
      score: customers / most,
      reasons: [],
      residual: customers / most,
    }));
  return { items, historyUsed: 0, sums: 0 };
}
