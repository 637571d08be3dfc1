import { weighHistory } from './history-weights.js';
import { type IndexedCustomer, relevantItems } from './interactions.js';
import { decayedPopularity, halfLivesFor, timeSpan } from './popularity.js';
import { rankSlate } from './rank-slate.js';

const DAY_MS = 86_400_000;

/** A way to score all items from a history: weights between items, row-major [itemCount, itemCount], and a memory. */
export interface CandidateSource {
  weights: Float32Array;
  tauItems: number | null;
}

/** What a second stage is told about a candidate besides the customer: the first source also chooses the candidates. */
export interface CandidateView {
  itemCount: number;
  sources: readonly CandidateSource[];
  /** Each of shape [itemCount]. */
  itemColumns: readonly Float64Array[];
}

export interface CandidateRows {
  /** Item indices, best of the first source first. */
  items: number[];
  /** Row-major, shape [items.length, {@link candidateColumns}]. */
  rows: Float32Array;
}

/** Score and rank by each source, the item's columns, how many items the customer knows, and the relevant share of them. */
export function candidateColumns({ sources, itemColumns }: CandidateView): number {
  return 2 * sources.length + itemColumns.length + 2;
}

/**
 * The first candidates of one customer with their features.
 *
 * @param first  most candidates
 */
export function candidateRows(
  past: IndexedCustomer,
  view: CandidateView,
  { first, excludeHistory }: { first: number; excludeHistory: boolean },
): CandidateRows {
  const relevant = relevantItems(past);
  const scores = view.sources.map((source) => scoresOf(relevant, source, view.itemCount));
  const exclude: ReadonlySet<number> = excludeHistory ? new Set(past.items) : new Set();
  const items = rankSlate(scores[0] ?? [], { first, exclude });
  const columns = candidateColumns(view);
  const rows = new Float32Array(items.length * columns);
  const perSource = scores.map((all) => items.map((item) => all[item] ?? 0));
  const ranks = perSource.map(ranksOf);
  const share = past.items.length === 0 ? 0 : relevant.length / past.items.length;
  items.forEach((item, i) => {
    const row = [
      ...perSource.map((own) => own[i] ?? 0),
      ...ranks.map((own) => own[i] ?? 0),
      ...view.itemColumns.map((column) => column[item] ?? 0),
      past.items.length,
      share,
    ];
    rows.set(row, i * columns);
  });
  return { items, rows };
}

/** Popularity at several half-lives, how often an item was met, its relevant share (smoothed by one each way), and its age in days. */
export function itemColumnsOf(customers: readonly IndexedCustomer[], itemCount: number): Float64Array[] {
  const span = timeSpan(customers);
  const popularity = halfLivesFor(span).map((halfLifeDays) =>
    decayedPopularity(customers, itemCount, { asOf: span.to, halfLifeDays }),
  );
  const met = new Float64Array(itemCount);
  const firstAt = new Float64Array(itemCount).fill(span.to);
  for (const { items, at } of customers) {
    items.forEach((item, i) => {
      met[item] = (met[item] ?? 0) + 1;
      firstAt[item] = Math.min(firstAt[item] ?? span.to, at[i] ?? span.to);
    });
  }
  const relevantShare = met.map((count, item) => ((popularity[0]?.[item] ?? 0) + 1) / (count + 2));
  return [...popularity, met, relevantShare, firstAt.map((at) => (span.to - at) / DAY_MS)];
}

function scoresOf(relevant: Uint32Array, source: CandidateSource, itemCount: number): Float64Array {
  const scores = new Float64Array(itemCount);
  const history = weighHistory(relevant, source.tauItems);
  for (let h = 0; h < history.items.length; h++) {
    const weight = history.weights[h] as number;
    const from = (history.items[h] as number) * itemCount;
    for (let j = 0; j < itemCount; j++)
      scores[j] = (scores[j] as number) + weight * (source.weights[from + j] as number);
  }
  return scores;
}

/** 0 for the highest; equal values keep their order. */
function ranksOf(values: readonly number[]): number[] {
  const ranks = new Array<number>(values.length).fill(0);
  [...values.keys()]
    .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
    .forEach((index, rank) => (ranks[index] = rank));
  return ranks;
}
