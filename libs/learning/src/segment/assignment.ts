/**
 * The one-to-one pairing of rows and columns with the least total cost (Hungarian method with potentials, O(n³)).
 *
 * @param costs  shape [rows][columns], finite; as many pairs are made as the smaller side has members
 * @returns      column of each row, −1 for rows left over
 *
 * Source: Kuhn (1955), "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2; Jonker and
 * Volgenant (1987), Computing 38, for the shortest augmenting paths.
 */
export function leastCostPairs(costs: readonly (readonly number[])[]): number[] {
  const [rows, columns] = [costs.length, costs[0]?.length ?? 0];
  const size = Math.max(rows, columns);
  const cost = (i: number, j: number): number => costs[i]?.[j] ?? 0;
  const [u, v] = [new Float64Array(size + 1), new Float64Array(size + 1)];
  const rowOf = new Int32Array(size + 1).fill(size);
  for (let row = 0; row < size; row++) augment({ size, row, cost, u, v, rowOf });
  const pairs = new Array<number>(rows).fill(-1);
  for (let j = 0; j < columns; j++) {
    const row = rowOf[j] ?? size;
    if (row < rows) pairs[row] = j;
  }
  return pairs;
}

interface Search {
  size: number;
  row: number;
  cost: (row: number, column: number) => number;
  u: Float64Array;
  v: Float64Array;
  /** row of each column, `size` for none; the last entry stands for the start of the path */
  rowOf: Int32Array;
}

/** Grows the pairing by `row` along the shortest augmenting path. */
function augment({ size, row, cost, u, v, rowOf }: Search): void {
  const least = new Float64Array(size).fill(Infinity);
  const cameFrom = new Int32Array(size).fill(size);
  const isUsed = new Uint8Array(size + 1);
  rowOf[size] = row;
  let column = size;
  while ((rowOf[column] ?? size) < size) {
    isUsed[column] = 1;
    const from = rowOf[column] ?? 0;
    let [delta, next] = [Infinity, size];
    for (let j = 0; j < size; j++) {
      if (isUsed[j] === 1) continue;
      const reduced = cost(from, j) - (u[from] ?? 0) - (v[j] ?? 0);
      if (reduced < (least[j] ?? Infinity)) {
        least[j] = reduced;
        cameFrom[j] = column;
      }
      if ((least[j] ?? Infinity) < delta) [delta, next] = [least[j] ?? Infinity, j];
    }
    for (let j = 0; j <= size; j++) {
      if (isUsed[j] === 1) {
        const owner = rowOf[j] ?? 0;
        u[owner] = (u[owner] ?? 0) + delta;
        v[j] = (v[j] ?? 0) - delta;
      } else if (j < size) least[j] = (least[j] ?? 0) - delta;
    }
    column = next;
  }
  while (column !== size) {
    const before = cameFrom[column] ?? size;
    rowOf[column] = rowOf[before] ?? size;
    column = before;
  }
  rowOf[size] = size;
}
