/** Pairs farther apart than this many reaches weigh under e⁻¹⁰ and are left out. */
const FARTHEST = 10;
/** Nor do pairs farther apart than this count. */
const LONGEST = 4096;

/**
 * Co-occurrence counts G = XᵀX of binary X: how many customers had both items (diagonal: the item).
 *
 * @param baskets    distinct item indices of each customer
 * @returns          row-major, shape [itemCount, itemCount]; only the lower triangle and the diagonal are filled
 */
export function coOccurrence(baskets: Iterable<ArrayLike<number>>, itemCount: number): Float64Array {
  const counts = new Float64Array(itemCount * itemCount);
  for (const basket of baskets) {
    for (let a = 0; a < basket.length; a++) {
      const i = basket[a] ?? 0;
      for (let b = 0; b <= a; b++) addLower(counts, itemCount, { i, j: basket[b] ?? 0, weight: 1 });
    }
  }
  return counts;
}

/**
 * Co-occurrence by nearness: a pair counts exp(−distance / reach), with the distance in positions of the customer's sequence. It is
 * the Gram matrix of the sequences seen through an exponential window, so it is positive semi-definite like plain counts; an item that
 * comes twice makes two pairs with itself, one in each order.
 *
 * @param sequences   item indices of each customer, oldest first; repeats allowed
 * @returns           as of {@link coOccurrence}
 */
export function nearCounts(
  sequences: Iterable<ArrayLike<number>>,
  itemCount: number,
  reachItems: number,
): Float64Array {
  const counts = new Float64Array(itemCount * itemCount);
  const weights = windowOf(reachItems);
  for (const sequence of sequences) {
    for (let a = 0; a < sequence.length; a++) {
      const i = sequence[a] ?? 0;
      for (let b = Math.max(0, a - weights.length + 1); b <= a; b++) {
        const j = sequence[b] ?? 0;
        const orders = i === j && a !== b ? 2 : 1;
        addLower(counts, itemCount, { i, j, weight: orders * (weights[a - b] ?? 0) });
      }
    }
  }
  return counts;
}

/**
 * What came after what: entry [i, j] sums exp(−(distance − 1) / reach) over the times that j stood after i.
 *
 * @param sequences   item indices of each customer, oldest first; repeats allowed
 * @returns           row-major, shape [itemCount, itemCount]
 */
export function nextCounts(
  sequences: Iterable<ArrayLike<number>>,
  itemCount: number,
  reachItems: number,
): Float64Array {
  const counts = new Float64Array(itemCount * itemCount);
  const weights = windowOf(reachItems);
  for (const sequence of sequences) {
    for (let b = 1; b < sequence.length; b++) {
      const j = sequence[b] ?? 0;
      for (let a = Math.max(0, b - weights.length); a < b; a++) {
        const at = (sequence[a] ?? 0) * itemCount + j;
        counts[at] = (counts[at] ?? 0) + (weights[b - a - 1] ?? 0);
      }
    }
  }
  return counts;
}

function windowOf(reachItems: number): Float64Array {
  const length = Math.min(LONGEST, Math.ceil(FARTHEST * reachItems));
  return Float64Array.from({ length }, (_, d) => Math.exp(-d / reachItems));
}

function addLower(
  counts: Float64Array,
  n: number,
  { i, j, weight }: { i: number; j: number; weight: number },
): void {
  const at = i > j ? i * n + j : j * n + i;
  counts[at] = (counts[at] ?? 0) + weight;
}
