import type { IndexedCustomer } from './interactions.js';

const DAY_MS = 86_400_000;

/**
 * How often each item was met with relevance, each meeting halved in weight every `halfLifeDays` of age.
 *
 * @param asOf           Unix milliseconds of age 0; later interactions weigh as much as those of that instant
 * @param halfLifeDays   null counts all meetings alike
 * @returns              shape [itemCount], non-negative
 */
export function decayedPopularity(
  customers: Iterable<IndexedCustomer>,
  itemCount: number,
  { asOf, halfLifeDays }: { asOf: number; halfLifeDays: number | null },
): Float64Array {
  const popularity = new Float64Array(itemCount);
  for (const { items, relevant, at } of customers) {
    for (let i = 0; i < items.length; i++) {
      if (relevant[i] !== 1) continue;
      const item = items[i] ?? 0;
      const ageDays = Math.max(0, asOf - (at[i] ?? asOf)) / DAY_MS;
      popularity[item] =
        (popularity[item] ?? 0) + (halfLifeDays === null ? 1 : 2 ** (-ageDays / halfLifeDays));
    }
  }
  return popularity;
}

/** First and last instant of all interactions; both 0 when there is none. */
export function timeSpan(customers: Iterable<IndexedCustomer>): { from: number; to: number } {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { at } of customers) {
    from = Math.min(from, at[0] ?? from);
    to = Math.max(to, at.at(-1) ?? to);
  }
  return from <= to ? { from, to } : { from: 0, to: 0 };
}

/** Half-lives worth trying on data of this span: none, and a quarter, a sixteenth and a sixty-fourth of it. */
export function halfLivesFor({ from, to }: { from: number; to: number }): (number | null)[] {
  const days = (to - from) / DAY_MS;
  return [null, ...[4, 16, 64].map((part) => days / part).filter((halfLife) => halfLife >= 1 / 24)];
}
