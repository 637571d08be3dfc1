import { leastCostPairs } from './assignment.js';

/** Least share of common customers (Jaccard) at which a segment counts as the same one. */
export const SAME_SEGMENT_OVERLAP = 0.5;

/**
 * Which new segment is which old one, so that ids survive a refit: the pairing with the largest total overlap of customers, without
 * pairs that have less than half of their customers in common.
 *
 * @param before  segment of each customer in the old segmentation, shape [n]; −1 for none
 * @param after   segment of the same customers in the new one
 * @returns       old number of each new segment, null for one that is new
 * @throws RangeError when the lengths differ
 *
 * Source: Hennig (2007), Computational Statistics & Data Analysis 52(1): the Jaccard index, below 0.5 a cluster is dissolved.
 */
export function matchSegments(before: ArrayLike<number>, after: ArrayLike<number>): (number | null)[] {
  if (before.length !== after.length)
    throw new RangeError(`lengths differ: ${before.length} and ${after.length}`);
  const [old, fresh] = [numbersIn(before), numbersIn(after)];
  const overlaps = fresh.map((size, next) =>
    old.map((oldSize, previous) => {
      let common = 0;
      for (let i = 0; i < after.length; i++) common += Number(after[i] === next && before[i] === previous);
      const union = size + oldSize - common;
      return union === 0 ? 0 : common / union;
    }),
  );
  const pairs = leastCostPairs(overlaps.map((row) => row.map((overlap) => -overlap)));
  return pairs.map((previous, next) => {
    const isSame = previous >= 0 && (overlaps[next]?.[previous] ?? 0) >= SAME_SEGMENT_OVERLAP;
    return isSame ? previous : null;
  });
}

/** Size of each segment number from 0. */
function numbersIn(labels: ArrayLike<number>): number[] {
  const sizes: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? -1;
    if (label < 0) continue;
    while (sizes.length <= label) sizes.push(0);
    sizes[label] = (sizes[label] ?? 0) + 1;
  }
  return sizes;
}
