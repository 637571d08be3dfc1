/** The sources that speak most for each of several items, as flat rows of `top` places. */
export interface StrongestSources {
  /** Position of the source, shape [items, top]; only the first `counts[i]` of a row are set. */
  sources: Int32Array;
  /** Of the same shape, descending within a row, each > 0. */
  contributions: Float64Array;
  /** shape [items] */
  counts: Int32Array;
}

export interface SourceQuestion {
  items: ArrayLike<number>;
  /** number of sources, e.g. items of a history */
  sources: number;
  /** most sources named an item, >= 1 */
  top: number;
  /** What a source adds to the score of an item; only what is above 0 counts. */
  contribution(source: number, item: number): number;
  /** Of equal contributions the source with the lower value here comes first; without it the earlier source. */
  order?: ArrayLike<number>;
}

/** For each item the sources with the largest contributions, as `explainItem` and `explainSessionItem` name them one by one. */
export function strongestSources(question: SourceQuestion): StrongestSources {
  const { items, sources: sourceCount, top, contribution } = question;
  const sources = new Int32Array(items.length * top);
  const contributions = new Float64Array(items.length * top);
  const counts = new Int32Array(items.length);
  const rank = question.order ?? Int32Array.from({ length: sourceCount }, (_, source) => source);
  for (let source = 0; source < sourceCount; source++) {
    for (let i = 0; i < items.length; i++) {
      const value = contribution(source, items[i] as number);
      if (!(value > 0)) continue;
      const begin = i * top;
      const count = counts[i] as number;
      // The place behind the last, or where the row is full the last itself, which is then forgotten.
      let place = begin + count;
      if (count === top) {
        place -= 1;
        const last = contributions[place] as number;
        if (value < last || (value === last && isAfter(rank, source, sources[place] as number))) continue;
      } else counts[i] = count + 1;
      while (place > begin) {
        const before = contributions[place - 1] as number;
        if (value < before) break;
        if (value === before && isAfter(rank, source, sources[place - 1] as number)) break;
        contributions[place] = before;
        sources[place] = sources[place - 1] as number;
        place -= 1;
      }
      contributions[place] = value;
      sources[place] = source;
    }
  }
  return { sources, contributions, counts };
}

function isAfter(rank: ArrayLike<number>, source: number, other: number): boolean {
  return (rank[source] as number) > (rank[other] as number);
}
