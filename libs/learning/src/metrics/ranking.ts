/**
 * Normalised discounted cumulative gain at cut-off k for binary relevance: discount 1 / log2(rank + 1), rank from 1,
 * divided by the gain of the best order of `relevant.size` items.
 *
 * @param ranked    item indices in ranked order, without duplicates
 * @param relevant  the relevant items
 * @returns         a value in [0, 1]; 0 when nothing is relevant
 * @throws RangeError when k is not a positive integer
 *
 * Source: Järvelin and Kekäläinen (2002), "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4).
 */
export function ndcgAtK(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  checkCutOff(k);
  let gain = 0;
  for (let i = 0; i < Math.min(k, ranked.length); i++) {
    if (relevant.has(ranked[i] ?? -1)) gain += 1 / Math.log2(i + 2);
  }
  let ideal = 0;
  for (let i = 0; i < Math.min(k, relevant.size); i++) ideal += 1 / Math.log2(i + 2);
  return ideal === 0 ? 0 : gain / ideal;
}

/**
 * Share of the relevant items that stand in the first k.
 *
 * @returns  hits / |relevant| in [0, 1]; 0 when nothing is relevant
 * @throws RangeError when k is not a positive integer
 */
export function recallAtK(ranked: ArrayLike<number>, relevant: ReadonlySet<number>, k: number): number {
  checkCutOff(k);
  let hits = 0;
  for (let i = 0; i < Math.min(k, ranked.length); i++) if (relevant.has(ranked[i] ?? -1)) hits++;
  return relevant.size === 0 ? 0 : hits / relevant.size;
}

function checkCutOff(k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`k must be a positive integer, got ${k}`);
}
