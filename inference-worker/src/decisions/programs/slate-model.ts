import type { RecommendSpec, SessionSpec } from '@sextant/artefacts';
import {
  fillHistoryRow,
  type ItemSimilarity,
  weighHistory,
  weightBetween,
} from '@sextant/learning/recommend';
import { weighSession } from '@sextant/learning/session';

/** A history in the terms of its model: what its items say, and how loud. */
export interface WeighedSources {
  /** distinct items of the history that the model knows */
  items: ArrayLike<number>;
  /** of the row that each adds to the scores */
  weights: ArrayLike<number>;
  /** what each adds to its own score; null: nothing */
  own: ArrayLike<number> | null;
}

/** A recommender that adds up rows of weights: scores = base + Σ weight · row of the item. */
export interface SlateModel {
  items: readonly string[];
  /** columns of the ONNX model's input */
  width: number;
  /** row-major [items, items], where the weights are kept as such */
  rows: Float32Array | null;
  /** @param history  item indices, oldest first; repeats allowed */
  weigh(history: readonly number[]): WeighedSources;
  /** Fills one row of the ONNX model's input, shape [width]. */
  fill(row: Float32Array, sources: WeighedSources): void;
  /** What the model's own policy leaves out. */
  barred(sources: WeighedSources): ArrayLike<number>;
  /** What the k-th source adds to the score of an item. */
  contribution(sources: WeighedSources, k: number, item: number): number;
  /** Which of two equal reasons comes first: the one with the lower value. */
  orderOf(sources: WeighedSources): ArrayLike<number> | undefined;
}

const NONE: readonly number[] = [];

/** @param weights  the spec's similarity file: [items + 1, items], or factors [items + 1, rank] and [rank, items] */
export function customerModel(spec: RecommendSpec, weights: Float32Array): SlateModel {
  const itemCount = spec.items.length;
  const similarity = similarityOf(spec, weights);
  return {
    items: spec.items,
    width: itemCount + 1,
    rows: spec.rank === null ? weights : null,
    weigh: (history) => ({ ...weighHistory(history, spec.tauItems), own: null }),
    fill: (row, { items, weights: loudness }) =>
      fillHistoryRow(row, { items: Uint32Array.from(items), weights: Float64Array.from(loudness) }),
    barred: ({ items }) => (spec.excludeHistory ? items : NONE),
    contribution: ({ items, weights: loudness }, k, item) =>
      (loudness[k] as number) * weightBetween(similarity, items[k] as number, item),
    orderOf: ({ items }) => items,
  };
}

/** @param transitions  [items, items] */
export function sessionModel(spec: SessionSpec, transitions: Float32Array): SlateModel {
  const itemCount = spec.items.length;
  return {
    items: spec.items,
    width: 2 * itemCount,
    rows: transitions,
    weigh: (history) => {
      const { items, sources, repeats } = weighSession(spec, history);
      return { items, weights: sources, own: repeats };
    },
    fill: (row, { items, weights, own }) => {
      row.fill(0);
      for (let k = 0; k < items.length; k++) {
        const item = items[k] as number;
        row[item] = weights[k] as number;
        row[itemCount + item] = own?.[k] ?? 0;
      }
    },
    barred: () => NONE,
    contribution: ({ items, weights, own }, k, item) => {
      const from = items[k] as number;
      const way = (weights[k] as number) * (transitions[from * itemCount + item] as number);
      return from === item ? way + (own?.[k] ?? 0) : way;
    },
    orderOf: () => undefined,
  };
}

function similarityOf({ items, rank }: RecommendSpec, weights: Float32Array): ItemSimilarity {
  const itemCount = items.length;
  if (rank === null) return { itemCount, matrix: weights };
  const cut = (itemCount + 1) * rank;
  return { itemCount, rank, sources: weights.subarray(0, cut), targets: weights.subarray(cut) };
}
