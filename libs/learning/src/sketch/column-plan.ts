import { DomainError } from '@sextant/domain';
import { fitEdges, fitEdgesBetween, MAX_EDGES, paddedEdges } from '../drift/bin-edges.js';
import { crc32 } from '../metrics/crc32-split.js';
import {
  categoricalView,
  type ColumnTable,
  isNumericText,
  numericView,
  type TableColumn,
} from '../tabular/column-table.js';

/** How the cells of one column are counted; fixed once, on the rows that a model was trained on. */
export type ColumnPlan =
  /** Ascending, at most 31: bin i holds edge i−1 < x ≤ edge i, the first what lies below and the last what lies above the reference. */
  | { kind: 'numeric'; name: string; edges: readonly number[] }
  /** At most 100, a bin each; every other category shares one more. */
  | { kind: 'categorical'; name: string; categories: readonly string[] };

/** More categories than this, the rarest, share one bin. */
export const MAX_CATEGORIES = 100;
const MAX_COLUMNS = 20_000;

/** A plan for each column of a table. @param table  rows of training, which are the reference */
export function planColumns(table: ColumnTable): ColumnPlan[] {
  return table.columns.map(planColumn);
}

/** A plan for what a model answered, which other hardware rounds otherwise: no edge lies on a value. NaN = missing. */
export function planScores(name: string, values: ArrayLike<number>): ColumnPlan {
  return { kind: 'numeric', name, edges: [...fitEdgesBetween(Float64Array.from(values))] };
}

function planColumn(column: TableColumn): ColumnPlan {
  const { name } = column;
  if (column.kind === 'numeric' || isNumericText(column)) {
    return { kind: 'numeric', name, edges: [...fitEdges(numericView(column))] };
  }
  return { kind: 'categorical', name, categories: commonest(column) };
}

/** The most frequent first, ties by name. */
function commonest(column: TableColumn): string[] {
  const { dictionary, codes } = categoricalView(column);
  const rows = new Float64Array(dictionary.length);
  for (const code of codes) if (code >= 0) rows[code] = (rows[code] ?? 0) + 1;
  return dictionary
    .map((category, code) => ({ category, rows: rows[code] ?? 0 }))
    .filter((each) => each.rows > 0)
    .sort((a, b) => b.rows - a.rows || (a.category < b.category ? -1 : 1))
    .slice(0, MAX_CATEGORIES)
    .map(({ category }) => category);
}

/** Where the counters of one column stand among those of the sketch. */
export interface Slot {
  plan: ColumnPlan;
  from: number;
  /** bins; the counter after them is that of missing cells */
  bins: number;
  /** numbers: shape [31], the rest Infinity */
  edges: Float64Array;
  /** categories: bin of each, else empty */
  binOf: ReadonlyMap<string, number>;
}

/** The columns that a sketch counts: features as they come in, scores as they go out. Sketches of equal plans merge. */
export class SketchPlan {
  readonly features: readonly Slot[];
  readonly scores: readonly Slot[];
  /** counters in all */
  readonly size: number;
  /** of the plan's content, 64 bits */
  readonly fingerprint: readonly [number, number];

  /**
   * @throws DomainError INVALID_INPUT for two columns of one name, edges that do not rise, too many of edges, categories or columns
   */
  constructor({ features, scores }: { features: readonly ColumnPlan[]; scores: readonly ColumnPlan[] }) {
    const names = new Set([
      ...features.map(({ name }) => `f${name}`),
      ...scores.map(({ name }) => `s${name}`),
    ]);
    const columns = features.length + scores.length;
    if (names.size !== columns) throw invalid('two columns have the same name');
    if (columns > MAX_COLUMNS) throw invalid(`${columns} columns, at most ${MAX_COLUMNS} are counted`);
    let from = 0;
    const slots = [...features, ...scores].map((plan) => {
      const slot = slotOf(plan, from);
      from += slot.bins + 1;
      return slot;
    });
    this.features = slots.slice(0, features.length);
    this.scores = slots.slice(features.length);
    this.size = from;
    const text = JSON.stringify([features.map(contentOf), scores.map(contentOf)]);
    this.fingerprint = [crc32(text), crc32(`sketch:${text}`)];
  }
}

function contentOf(plan: ColumnPlan): unknown[] {
  return plan.kind === 'numeric' ? [plan.name, plan.edges] : [plan.name, 'of', plan.categories];
}

function slotOf(plan: ColumnPlan, from: number): Slot {
  const { name } = plan;
  if (plan.kind === 'numeric') {
    const { edges } = plan;
    const rises = edges.every((edge, i) => i === 0 || edge > (edges[i - 1] ?? Infinity));
    if (edges.length > MAX_EDGES || !rises || edges.some(Number.isNaN))
      throw invalid(`column "${name}" needs at most ${MAX_EDGES} edges that rise`);
    return { plan, from, bins: edges.length + 1, edges: paddedEdges(edges), binOf: new Map() };
  }
  const binOf = new Map(plan.categories.map((category, bin) => [category, bin]));
  if (binOf.size !== plan.categories.length || binOf.size > MAX_CATEGORIES)
    throw invalid(`column "${name}" needs at most ${MAX_CATEGORIES} different categories`);
  return { plan, from, bins: binOf.size + 1, edges: new Float64Array(0), binOf };
}

function invalid(message: string): DomainError {
  return new DomainError('INVALID_INPUT', `the plan of a sketch is not usable: ${message}`);
}
