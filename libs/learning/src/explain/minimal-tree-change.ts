import { predictMargin, type Tree, type TreeEnsemble } from '../trees/tree-ensemble.js';
import {
  type ActionableColumn,
  type ChangeQuestion,
  checkedColumns,
  isThere,
  type MinimalChange,
  subsets,
} from './minimal-change.js';

/**
 * The smallest change that moves a score of trees across a threshold: fewest columns first, then the least distance. Exact: the score is
 * constant between the thresholds that the trees test, so that of each cell between two the value nearest to the present one is
 * tried, in every combination. New values are float32 numbers (a step's multiples as they are), as the served model reads them.
 *
 * Time for n actionable columns of c cells: O(n · c), for two columns O(n² (c² + leaves)), for three O(n³ (c³ + leaves)).
 *
 * @returns  null where no change of up to `maxColumns` columns within their ranges does it
 * @throws RangeError for a scale, step or number of columns that makes no sense
 */
export function minimalTreeChange(ensemble: TreeEnsemble, question: ChangeQuestion): MinimalChange | null {
  const most = checkedColumns(question);
  const margin = predictMargin(ensemble, question.row);
  if (isThere(margin, question)) return { changes: [], distance: 0, margin };
  const grids = question.actionable
    .map((actionable) => gridOf(ensemble, actionable, question.row[actionable.column] ?? Number.NaN))
    .filter(({ to }) => to.length > 1);
  for (let size = 1; size <= most; size++) {
    let best: MinimalChange | null = null;
    for (const chosen of subsets(grids, size)) {
      const change = leastChange(ensemble, question, chosen);
      if (change !== null && (best === null || change.distance < best.distance)) best = change;
    }
    if (best !== null) return best;
  }
  return null;
}

/** The cells of a column that it may move to. */
interface Grid {
  column: number;
  from: number;
  scale: number;
  /** Value nearest to the present one in each cell that has one, ascending; the present value in its own. */
  to: Float64Array;
}

function gridOf({ trees }: TreeEnsemble, actionable: ActionableColumn, x: number): Grid {
  const { column, scale } = actionable;
  if (Number.isNaN(x)) return { column, from: x, scale, to: new Float64Array(0) };
  const tested = new Set<number>();
  for (const tree of trees)
    for (const [node, feature] of tree.feature.entries())
      if (feature === column) tested.add(tree.threshold[node] ?? 0);
  const thresholds = [-Infinity, ...Float64Array.from(tested).sort(), Infinity];
  const to: number[] = [];
  for (const [i, below] of thresholds.slice(0, -1).entries()) {
    const value = nearestInCell(x, [below, thresholds[i + 1] ?? Infinity], actionable);
    if (value !== null) to.push(value);
  }
  return { column, from: x, scale, to: Float64Array.from(to) };
}

/** The value in (below, upTo], within the range and on the steps, nearest to x; null where there is none. */
function nearestInCell(
  x: number,
  [below, upTo]: readonly [number, number],
  { low, high, step }: ActionableColumn,
): number | null {
  if (x > below && x <= upTo) return x;
  const isAbove = x <= below;
  const value = isAbove ? Math.max(above(below, step), low) : Math.min(atMost(upTo, step), high);
  const onStep =
    step === undefined ? value : (isAbove ? Math.ceil(value / step) : Math.floor(value / step)) * step;
  return onStep > below && onStep <= upTo && onStep >= low && onStep <= high ? onStep : null;
}

function above(threshold: number, step: number | undefined): number {
  if (step !== undefined) return (Math.floor(threshold / step) + 1) * step;
  const rounded = Math.fround(threshold);
  return rounded > threshold ? rounded : nextFloat32(rounded, 1);
}

function atMost(threshold: number, step: number | undefined): number {
  if (step !== undefined) return Math.floor(threshold / step) * step;
  const rounded = Math.fround(threshold);
  return rounded <= threshold ? rounded : nextFloat32(rounded, -1);
}

function nextFloat32(value: number, direction: 1 | -1): number {
  const view = new DataView(new ArrayBuffer(4));
  if (value === 0) return direction * 2 ** -149;
  view.setFloat32(0, value);
  const isAway = value > 0 === direction > 0;
  view.setInt32(0, view.getInt32(0) + (isAway ? 1 : -1));
  return view.getFloat32(0);
}

/** Least change of all the chosen columns together that arrives. */
function leastChange(
  ensemble: TreeEnsemble,
  question: ChangeQuestion,
  grids: readonly Grid[],
): MinimalChange | null {
  const margins = marginsOnGrid(ensemble, question.row, grids);
  let [best, least] = [-1, Infinity];
  for (let cell = 0; cell < margins.length; cell++) {
    if (!isThere(margins[cell] ?? 0, question)) continue;
    const distance = distanceOf(grids, cell);
    if (distance < least) [best, least] = [cell, distance];
  }
  // Of the sums by cell only the order of the additions is their own; the margin that counts is that of the whole row.
  if (best < 0) return null;
  const changed = Float64Array.from(question.row);
  const changes = placesOf(grids, best).map((place, i) => {
    const { column, from, to } = grids[i] ?? EMPTY;
    changed[column] = to[place] ?? from;
    return { column, from, to: to[place] ?? from };
  });
  const margin = predictMargin(ensemble, changed);
  return isThere(margin, question)
    ? { changes: changes.filter(({ from, to }) => from !== to), distance: least, margin }
    : null;
}

const EMPTY: Grid = { column: 0, from: 0, scale: 1, to: new Float64Array(0) };

function distanceOf(grids: readonly Grid[], cell: number): number {
  const squares = placesOf(grids, cell).map((place, i) => {
    const { from, scale, to } = grids[i] ?? EMPTY;
    return (((to[place] ?? from) - from) / scale) ** 2;
  });
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

/** Place in each grid of a cell of their product, the last grid running fastest. */
function placesOf(grids: readonly Grid[], cell: number): number[] {
  const places: number[] = [];
  let rest = cell;
  for (const { to } of grids.toReversed()) {
    places.unshift(rest % to.length);
    rest = Math.floor(rest / to.length);
  }
  return places;
}

/** Margins of the row with the chosen columns at every combination of their cells: each leaf adds its value to a box of cells. */
function marginsOnGrid(
  { baseScore, trees }: TreeEnsemble,
  row: ArrayLike<number>,
  grids: readonly Grid[],
): Float64Array {
  const margins = new Float64Array(grids.reduce((size, { to }) => size * to.length, 1)).fill(baseScore);
  const gridOfColumn = new Map(grids.map(({ column }, i) => [column, i]));
  const whole = grids.map(({ to }): [number, number] => [0, to.length]);
  for (const tree of trees) visit({ tree, row, grids, gridOfColumn, margins }, 0, whole);
  return margins;
}

interface Walk {
  tree: Tree;
  row: ArrayLike<number>;
  grids: readonly Grid[];
  gridOfColumn: ReadonlyMap<number, number>;
  margins: Float64Array;
}

/** @param box  cells of each grid that arrive at the node, end exclusive */
function visit(walk: Walk, node: number, box: readonly (readonly [number, number])[]): void {
  const { tree, row, grids, gridOfColumn } = walk;
  const column = tree.feature[node] ?? -1;
  if (column < 0) {
    addToBox(walk, box, tree.value[node] ?? 0);
    return;
  }
  const [left, right, threshold] = [tree.left[node] ?? 0, tree.right[node] ?? 0, tree.threshold[node] ?? 0];
  const at = gridOfColumn.get(column);
  if (at === undefined) {
    const x = row[column] ?? Number.NaN;
    const goesLeft = Number.isNaN(x) ? tree.defaultLeft[node] === 1 : x <= threshold;
    visit(walk, goesLeft ? left : right, box);
    return;
  }
  const [from, end] = box[at] ?? [0, 0];
  const to = grids[at]?.to ?? EMPTY.to;
  let cut = from;
  while (cut < end && (to[cut] ?? 0) <= threshold) cut += 1;
  if (cut > from) visit(walk, left, box.with(at, [from, cut]));
  if (cut < end) visit(walk, right, box.with(at, [cut, end]));
}

function addToBox(
  { grids, margins }: Walk,
  box: readonly (readonly [number, number])[],
  value: number,
): void {
  const add = (grid: number, offset: number): void => {
    const [from, end] = box[grid] ?? [0, 0];
    const size = grids[grid]?.to.length ?? 1;
    for (let place = from; place < end; place++) {
      const at = offset * size + place;
      if (grid === grids.length - 1) margins[at] = (margins[at] ?? 0) + value;
      else add(grid + 1, at);
    }
  };
  add(0, 0);
}
