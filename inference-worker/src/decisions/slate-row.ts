import {
  explainItem,
  fillHistoryRow,
  type HistoryContribution,
  weighHistory,
} from '@sextant/learning/recommend';
import { explainSessionItem, weighSession } from '@sextant/learning/session';
import type { RecommendTask, SessionTask } from '../models/prepared-task.js';

/** One row of a request in the terms of its model. */
export interface SlateRow {
  /** Distinct items of the history that the model knows. */
  items: ArrayLike<number>;
  /** Columns of the model's input. */
  width: number;
  /** Fills the row of the model's input, shape [width]. */
  write: (row: Float32Array) => void;
  /** What the model's own policy leaves out. */
  excluded: Iterable<number>;
  /** The items of the history that speak most for `item`. */
  reasons: (item: number, top: number) => HistoryContribution[];
}

/** @param history  item indices, oldest first; repeats allowed */
export function slateRowOf(task: RecommendTask | SessionTask, history: readonly number[]): SlateRow {
  return task.task === 'recommend' ? customerRow(task, history) : sessionRow(task, history);
}

function customerRow({ spec, similarity }: RecommendTask, history: readonly number[]): SlateRow {
  const weighed = weighHistory(history, spec.tauItems);
  return {
    items: weighed.items,
    width: spec.items.length + 1,
    write: (row) => fillHistoryRow(row, weighed),
    excluded: spec.excludeHistory ? weighed.items : [],
    reasons: (item, top) => explainItem(similarity, weighed, item, top),
  };
}

function sessionRow({ spec, transitions }: SessionTask, history: readonly number[]): SlateRow {
  const itemCount = spec.items.length;
  const weighed = weighSession(spec, history);
  return {
    items: weighed.items,
    width: 2 * itemCount,
    write: (row) => {
      row.fill(0);
      for (const [k, item] of weighed.items.entries()) {
        row[item] = weighed.sources[k] ?? 0;
        row[itemCount + item] = weighed.repeats[k] ?? 0;
      }
    },
    excluded: [],
    reasons: (item, top) => explainSessionItem(transitions, weighed, item, { itemCount, top }),
  };
}
