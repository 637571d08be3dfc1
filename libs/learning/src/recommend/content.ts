/** The words of a text in lower case: runs of letters and digits, at least two characters long. */
export function wordsOf(text: string): string[] {
  return text.toLocaleLowerCase('en').match(/[\p{L}\p{N}]{2,}/gu) ?? [];
}

/**
 * Cosine of TF-IDF vectors between items: tf = 1 + ln(count), idf = ln((n + 1) / (df + 1)) + 1. A word of every item says nothing and is
 * left out, as are words of one item only.
 *
 * @param words  of each item, repeats allowed; an item without any is like nothing
 * @returns      row-major, shape [items, items], in [0, 1], 0 on the diagonal
 *
 * Source: Salton and Buckley (1988), "Term-weighting approaches in automatic text retrieval", Information Processing & Management 24(5).
 */
export function contentSimilarity(words: readonly (readonly string[])[]): Float32Array {
  const n = words.length;
  const holders = new Map<string, Map<number, number>>();
  words.forEach((own, item) => {
    for (const word of own) {
      const counts = holders.get(word) ?? new Map<number, number>();
      holders.set(word, counts.set(item, (counts.get(item) ?? 0) + 1));
    }
  });
  const similarity = new Float32Array(n * n);
  const squares = new Float64Array(n);
  for (const counts of holders.values()) {
    if (counts.size === n && n > 1) continue;
    const idf = Math.log((n + 1) / (counts.size + 1)) + 1;
    const weights = [...counts].map(([item, count]) => ({ item, weight: idf * (1 + Math.log(count)) }));
    for (const { item, weight } of weights) squares[item] = (squares[item] ?? 0) + weight ** 2;
    if (counts.size > 1) addPairs(similarity, n, weights);
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const lengths = Math.sqrt((squares[i] ?? 0) * (squares[j] ?? 0));
      const at = i * n + j;
      similarity[at] = i === j || lengths === 0 ? 0 : (similarity[at] as number) / lengths;
    }
  }
  return similarity;
}

function addPairs(
  similarity: Float32Array,
  n: number,
  weights: readonly { item: number; weight: number }[],
): void {
  for (const a of weights) {
    for (const b of weights) {
      const at = a.item * n + b.item;
      similarity[at] = (similarity[at] as number) + a.weight * b.weight;
    }
  }
}

/** How many similar items lend a cold one their weights. */
const LENDERS = 10;

export interface ColdItems {
  /** How often each item was met; 0 is cold. */
  met: ArrayLike<number>;
  /** As of {@link contentSimilarity}. */
  content: Float32Array;
  /** In [0, 1]: a cold item gets this share of what its most similar met items have. */
  share: number;
}

/**
 * Gives items that nobody met the weights of those they are most like: row and column of a cold item are `share` times the
 * similarity-weighted mean over its ten most similar met items. Nothing else changes; with a share of 0 nothing does.
 *
 * @param weights     row-major, shape [n, n], changed in place
 * @param popularity  shape [n], changed likewise, so that a cold customer can meet new items, too
 */
export function lendToColdItems(weights: Float32Array, popularity: Float64Array, cold: ColdItems): void {
  const n = popularity.length;
  const { met, content, share } = cold;
  const isCold = Array.from({ length: n }, (_, item) => (met[item] ?? 0) === 0);
  for (let item = 0; item < n; item++) {
    if (!isCold[item] || share === 0) continue;
    const row = content.subarray(item * n, (item + 1) * n);
    const lenders = Array.from({ length: n }, (_, other) => other)
      .filter((other) => !isCold[other] && (row[other] ?? 0) > 0)
      .sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0) || a - b)
      .slice(0, LENDERS);
    const total = lenders.reduce((sum, other) => sum + (row[other] ?? 0), 0);
    for (const other of lenders) {
      const part = (share * (row[other] ?? 0)) / total;
      popularity[item] = (popularity[item] ?? 0) + part * (popularity[other] ?? 0);
      for (let i = 0; i < n; i++) {
        if (isCold[i]) continue;
        weights[i * n + item] = (weights[i * n + item] as number) + part * (weights[i * n + other] as number);
        weights[item * n + i] = (weights[item * n + i] as number) + part * (weights[other * n + i] as number);
      }
    }
  }
}
