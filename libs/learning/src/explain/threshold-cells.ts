/**
 * Cells of rows between the thresholds that trees test: with cell(x) = how many of a column's thresholds are below x, the test
 * x ≤ threshold i becomes cell ≤ i, one comparison of integers without a branch. Each column has two cells, which differ for a missing
 * value only: in the first it is above every threshold (goes right), in the second below (goes left).
 */
export class ThresholdCells {
  /** Distinct thresholds by column, ascending. */
  private readonly grids: readonly Float64Array[];

  constructor(
    readonly columns: number,
    tests: { column: Int32Array; threshold: Float64Array },
  ) {
    const byColumn = Array.from({ length: columns }, () => new Set<number>());
    for (const [i, column] of tests.column.entries()) byColumn[column]?.add(tests.threshold[i] ?? 0);
    this.grids = byColumn.map((set) => Float64Array.from(set).sort());
  }

  /** Which of a row's 2 · columns cells a test reads. */
  static cellOf(column: number, missingGoesLeft: boolean): number {
    return 2 * column + (missingGoesLeft ? 1 : 0);
  }

  /** The row goes right where its cell is greater than this. */
  cutOf(column: number, threshold: number): number {
    return countBelow(this.grids[column] ?? NO_GRID, threshold);
  }

  /**
   * @param rows   row-major; cells beyond its end count as missing
   * @param cells  written, shape [2 · columns, count]
   */
  fill(rows: ArrayLike<number>, { first, count }: { first: number; count: number }, cells: Int32Array): void {
    for (let row = 0; row < count; row++) {
      const from = (first + row) * this.columns;
      for (const [column, grid] of this.grids.entries()) {
        const x = rows[from + column] ?? Number.NaN;
        const below = Number.isNaN(x) ? -1 : countBelow(grid, x);
        cells[2 * column * count + row] = below < 0 ? grid.length : below;
        cells[(2 * column + 1) * count + row] = below;
      }
    }
  }
}

const NO_GRID = new Float64Array(0);

function countBelow(grid: Float64Array, x: number): number {
  let [low, high] = [0, grid.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((grid[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
