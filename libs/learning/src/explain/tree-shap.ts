import type { Tree, TreeEnsemble } from '../trees/tree-ensemble.js';
import { leafTables, type LeafTables, MAX_TABLE_COLUMNS } from './leaf-tables.js';
import { type ShapForest, shapForest } from './shap-forest.js';
import { gaussLegendre, leafContributions, type Quadrature } from './shap-leaf.js';
import { ThresholdCells } from './threshold-cells.js';

export interface TreeShapOptions {
  /** Bytes that the tables of all leaves may take together; leaves beyond are worked out row by row. */
  maxTableBytes?: number;
}

const DEFAULT_TABLE_BYTES = 32 * 1024 * 1024;
/** Rows that share one pass over the tables: few enough for what is summed to stay in the processor's cache. */
const BLOCK_ROWS = 64;

/**
 * Exact Shapley values of tree ensembles. The value of a set of known columns is the expected margin when the row decides at nodes that
 * test a known column and the training rows' shares decide elsewhere (path-dependent).
 * `baseValue` + Σ contributions = margin, for every row.
 *
 * A leaf contributes by the bits "the row passes the path's tests of this column" only, so each leaf of up to 14 distinct
 * columns has a table by bit pattern, made once; time a row O(nodes + Σ leaves' columns), memory 8 · 2^d bytes a leaf of
 * d columns. Leaves of more columns, or beyond `maxTableBytes` (those of most columns first), cost O(d²) a row instead.
 * Cells may be NaN.
 *
 * Sources: Lundberg, Erion and Lee (2018), arXiv:1802.03888; tables by leaf: Yang (2021), "Fast TreeSHAP", arXiv:2109.09847.
 */
export class TreeShap {
  /** Expected margin over the training rows. */
  readonly baseValue: number;
  /** What the tables of the leaves take. */
  readonly tableBytes: number;
  private readonly forest: ShapForest;
  private readonly grid: ThresholdCells;
  private readonly tests: Tests;
  private readonly tables: LeafTables;
  private readonly quadratures: readonly Quadrature[];
  private readonly scratch: Scratch;

  /** @param columns  width of a row */
  constructor(
    ensemble: TreeEnsemble,
    private readonly columns: number,
    { maxTableBytes = DEFAULT_TABLE_BYTES }: TreeShapOptions = {},
  ) {
    this.baseValue = ensemble.trees.reduce((sum, tree) => sum + expectedValue(tree, 0), ensemble.baseScore);
    this.forest = shapForest(ensemble);
    this.grid = new ThresholdCells(columns, this.forest);
    this.tests = testsOf(this.forest, this.grid);
    this.tables = leafTables(this.forest, maxTableBytes);
    this.tableBytes = this.tables.entries.byteLength;
    this.quadratures = quadraturesOf(this.forest, this.tables);
    this.scratch = scratchFor(this.forest, columns);
  }

  /** @returns  contribution of each column to the margin of the row, shape [columns] */
  contributions(row: ArrayLike<number>): Float64Array {
    return this.contributionsOf(row, 1);
  }

  /**
   * @param rows   row-major, shape [count, columns]; cells beyond its end count as missing
   * @returns      contributions of each row, shape [count, columns]
   */
  contributionsOf(rows: ArrayLike<number>, count: number): Float64Array {
    const { columns } = this;
    const phi = new Float64Array(count * columns);
    for (let first = 0; first < count; first += BLOCK_ROWS) {
      const size = Math.min(BLOCK_ROWS, count - first);
      this.grid.fill(rows, { first, count: size }, this.scratch.cells);
      this.addBlock(phi.subarray(first * columns, (first + size) * columns), size);
    }
    return phi;
  }

  private addBlock(phi: Float64Array, size: number): void {
    const { columns } = this;
    const { sums } = this.scratch;
    const { treeLeaf, treeInner } = this.forest;
    sums.fill(0, 0, columns * size);
    for (let tree = 0; tree + 1 < treeLeaf.length; tree++) {
      this.route(tree, size);
      const firstSlot = (treeInner[tree + 1] ?? 0) - (treeInner[tree] ?? 0) - (treeLeaf[tree] ?? 0);
      this.lookUp(tree, firstSlot, size);
    }
    for (const leaf of this.tables.without)
      for (let row = 0; row < size; row++) this.workOut(leaf, { row, size });
    for (let row = 0; row < size; row++)
      for (let column = 0; column < columns; column++)
        phi[row * columns + column] = sums[column * size + row] as number;
  }

  /** Which columns of each leaf's path fail, as bits, for the rows of a block. */
  private route(tree: number, size: number): void {
    const { treeInner, left, right } = this.forest;
    const { cell, cut, bit } = this.tests;
    const { cells, failing } = this.scratch;
    const [first, end] = [treeInner[tree] ?? 0, treeInner[tree + 1] ?? 0];
    failing.fill(0, 0, size);
    for (let node = first; node < end; node++) {
      const [cellAt, limit, broken] = [(cell[node] ?? 0) * size, cut[node] ?? 0, bit[node] ?? 0];
      const [from, toLeft, toRight] = [
        (node - first) * size,
        (left[node] ?? 0) * size,
        (right[node] ?? 0) * size,
      ];
      for (let row = 0; row < size; row++) {
        const held = failing[from + row] ?? 0;
        // All ones where the row goes right, else 0.
        const goesRight = (limit - (cells[cellAt + row] ?? 0)) >> 31;
        failing[toLeft + row] = held | (broken & goesRight);
        failing[toRight + row] = held | (broken & ~goesRight);
      }
    }
  }

  /** Adds what the leaves with tables credit; leaf i of the forest is in slot `slotOfLeaf0` + i. */
  private lookUp(tree: number, slotOfLeaf0: number, size: number): void {
    const { leafStart, leafColumn, treeLeaf } = this.forest;
    const { at: tableAt, entries, factors } = this.tables;
    const { failing, sums } = this.scratch;
    const lastLeaf = treeLeaf[tree + 1] ?? 0;
    for (let leaf = treeLeaf[tree] ?? 0; leaf < lastLeaf; leaf++) {
      const table = tableAt[leaf] ?? -1;
      if (table < 0) continue;
      const [start, end] = [leafStart[leaf] as number, leafStart[leaf + 1] as number];
      const patternAt = (slotOfLeaf0 + leaf) * size;
      // Rows are the inner loop: what a column of the leaf needs is then looked up once.
      for (let j = start, place = 0; j < end; j++, place++) {
        const [at, bit, factor] = [(leafColumn[j] as number) * size, 1 << place, 2 * j];
        for (let row = 0; row < size; row++) {
          const pattern = failing[patternAt + row] as number;
          const entry = entries[table + (pattern | bit)] as number;
          sums[at + row] =
            (sums[at + row] as number) + entry * (factors[factor + ((pattern >> place) & 1)] as number);
        }
      }
    }
  }

  /** The same for one row and a leaf without a table. */
  private workOut(leaf: number, { row, size }: { row: number; size: number }): void {
    const { forest, tests, scratch } = this;
    const [start, end] = [forest.leafStart[leaf] ?? 0, forest.leafStart[leaf + 1] ?? 0];
    const quadrature = this.quadratures[Math.ceil((end - start) / 2)];
    if (quadrature === undefined) return;
    const { holds, credit, cells, sums } = scratch;
    holds.fill(1, 0, end - start);
    for (let i = forest.pathStart[leaf] ?? 0; i < (forest.pathStart[leaf + 1] ?? 0); i++) {
      const node = forest.pathNode[i] ?? 0;
      const goesLeft = (cells[(tests.cell[node] ?? 0) * size + row] ?? 0) <= (tests.cut[node] ?? 0);
      if (goesLeft !== (forest.pathLeft[i] === 1)) holds[forest.place[node] ?? 0] = 0;
    }
    const shares = forest.leafShare.subarray(start, end);
    leafContributions({ shares, value: forest.leafValue[leaf] ?? 0, holds }, quadrature, credit);
    for (let j = start; j < end; j++) {
      const at = (forest.leafColumn[j] ?? 0) * size + row;
      sums[at] = (sums[at] ?? 0) + (credit[j - start] ?? 0);
    }
  }
}

/** The tests of a forest on the cells of a row. */
interface Tests {
  /** By inner node: which of the row's cells it reads, and above which value the row goes right. */
  cell: Int32Array;
  cut: Int32Array;
  /** Bit of its column in the patterns of the leaves below; 0 where no leaf below has a table that reads it. */
  bit: Int32Array;
}

function testsOf({ column, threshold, defaultLeft, place }: ShapForest, grid: ThresholdCells): Tests {
  return {
    cell: column.map((at, node) => ThresholdCells.cellOf(at, defaultLeft[node] === 1)),
    cut: column.map((at, node) => grid.cutOf(at, threshold[node] ?? 0)),
    bit: place.map((at) => (at < MAX_TABLE_COLUMNS ? 1 << at : 0)),
  };
}

interface Scratch {
  /** Cells of a block of rows, shape [2 · columns, rows of the block]. */
  cells: Int32Array;
  /** Bits of the failing columns by slot of the current tree, shape [slots, rows of the block]. */
  failing: Int32Array;
  /** What the leaves credit to each column, shape [columns, rows of the block]. */
  sums: Float64Array;
  /** For a leaf without a table, by column of its path. */
  holds: Uint8Array;
  credit: Float64Array;
}

function scratchFor({ treeInner, treeLeaf, leafStart }: ShapForest, columns: number): Scratch {
  const deepest = longest(leafStart);
  return {
    cells: new Int32Array(BLOCK_ROWS * 2 * columns),
    failing: new Int32Array(BLOCK_ROWS * (longest(treeInner) + longest(treeLeaf))),
    sums: new Float64Array(BLOCK_ROWS * columns),
    holds: new Uint8Array(deepest),
    credit: new Float64Array(deepest),
  };
}

/** The longest stretch between two consecutive starts. */
function longest(starts: Int32Array): number {
  let most = 0;
  for (let i = 0; i + 1 < starts.length; i++) most = Math.max(most, (starts[i + 1] ?? 0) - (starts[i] ?? 0));
  return most;
}

/** Entry n: the quadrature of n points, where a leaf without a table needs it. */
function quadraturesOf({ leafStart }: ShapForest, { without }: LeafTables): Quadrature[] {
  const quadratures: Quadrature[] = [];
  for (const leaf of without) {
    const points = Math.ceil(((leafStart[leaf + 1] ?? 0) - (leafStart[leaf] ?? 0)) / 2);
    quadratures[points] ??= gaussLegendre(points);
  }
  return quadratures;
}

function expectedValue(tree: Tree, node: number): number {
  if ((tree.feature[node] ?? -1) < 0) return tree.value[node] ?? 0;
  const [left, right] = [tree.left[node] ?? 0, tree.right[node] ?? 0];
  const [a, b] = [tree.cover[left] ?? 0, tree.cover[right] ?? 0];
  if (a + b === 0) return 0;
  return (a * expectedValue(tree, left) + b * expectedValue(tree, right)) / (a + b);
}
