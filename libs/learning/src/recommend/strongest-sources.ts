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
  const { items, sources: sourceCount, top, contribution, order } = question;
  const found = {
    sources: new Int32Array(items.length * top),
    contributions: new Float64Array(items.length * top),
    counts: new Int32Array(items.length),
  };
  for (let source = 0; source < sourceCount; source++) {
    const rank = order ? (order[source] as number) : source;
    for (let i = 0; i < items.length; i++) {
      const value = contribution(source, items[i] as number);
      if (value > 0) insert(found, { at: i * top, item: i, top }, { source, value, rank, order });
    }
  }
  return found;
}

/** Insertion into a short sorted row; what falls off its end is forgotten. */
function insert(
  { sources, contributions, counts }: StrongestSources,
  { at, item, top }: { at: number; item: number; top: number },
  {
    source,
    value,
    rank,
    order,
  }: { source: number; value: number; rank: number; order: ArrayLike<number> | undefined },
): void {
  const count = counts[item] as number;
  const goesBefore = (place: number): boolean => {
    const other = contributions[place] as number;
    if (value !== other) return value > other;
    const otherSource = sources[place] as number;
    return rank < (order ? (order[otherSource] as number) : otherSource);
  };
  if (count === top && !goesBefore(at + top - 1)) return;
  let place = at + Math.min(count, top - 1);
  while (place > at && goesBefore(place - 1)) {
    contributions[place] = contributions[place - 1] as number;
    sources[place] = sources[place - 1] as number;
    place -= 1;
  }
  contributions[place] = value;
  sources[place] = source;
  if (count < top) counts[item] = count + 1;
}
