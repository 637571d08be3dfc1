/** Rows of numbers, row-major, shape [rows, columns]; NaN is a missing cell. */
export interface Points {
  values: Float64Array;
  rows: number;
  columns: number;
}

/** @throws RangeError when the rows differ in length */
export function pointsOf(rows: readonly (readonly number[])[]): Points {
  const columns = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * columns);
  rows.forEach((row, i) => {
    if (row.length !== columns) throw new RangeError(`row ${i} has ${row.length} cells, not ${columns}`);
    values.set(row, i * columns);
  });
  return { values, rows: rows.length, columns };
}

/** The rows named by `indices`, in that order; a row may come twice. */
export function takePoints({ values, columns }: Points, indices: ArrayLike<number>): Points {
  const taken = new Float64Array(indices.length * columns);
  for (let i = 0; i < indices.length; i++) {
    const from = (indices[i] ?? 0) * columns;
    taken.set(values.subarray(from, from + columns), i * columns);
  }
  return { values: taken, rows: indices.length, columns };
}

/** Whether any cell is NaN. */
export function hasMissing({ values }: Points): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] !== values[i]) return true; // only NaN differs from itself
  return false;
}

/** Whether a cell of one row is NaN. */
export function isMissingAt({ values, columns }: Points, row: number): boolean {
  for (let at = row * columns; at < (row + 1) * columns; at++) if (values[at] !== values[at]) return true;
  return false;
}

/** Indices of the rows without a missing cell. */
export function completeRows({ values, rows, columns }: Points): number[] {
  const complete: number[] = [];
  for (let i = 0; i < rows; i++) {
    let isComplete = true;
    for (let j = 0; j < columns && isComplete; j++) isComplete = !Number.isNaN(values[i * columns + j]);
    if (isComplete) complete.push(i);
  }
  return complete;
}

/** Indices of the rows with more than half of their cells. */
export function mostlyKnownRows({ values, rows, columns }: Points): number[] {
  return Array.from({ length: rows }, (_, i) => i).filter((i) => {
    let known = 0;
    for (let j = 0; j < columns; j++) known += Number(!Number.isNaN(values[i * columns + j]));
    return 2 * known > columns;
  });
}

/** One row of `a` and one of `b`, by number. */
export interface RowPair {
  row: number;
  other: number;
}

/**
 * Squared Euclidean distance of a row of `a` and a row of `b`. Missing cells are left out and the sum is scaled up to the number of
 * columns (partial distance); 0 when no column is known in both.
 *
 * Source: Dixon (1979), "Pattern recognition with partly missing data", IEEE Transactions on SMC 9(10).
 */
export function squaredDistance(a: Points, b: Points, { row, other }: RowPair): number {
  const { columns } = a;
  let [sum, known] = [0, 0];
  for (let j = 0; j < columns; j++) {
    const difference = (a.values[row * columns + j] ?? 0) - (b.values[other * columns + j] ?? 0);
    if (Number.isNaN(difference)) continue;
    sum += difference * difference;
    known++;
  }
  if (known === columns) return sum;
  return known === 0 ? 0 : (sum * columns) / known;
}

/** {@link squaredDistance} of rows without a missing cell, several times as fast. */
export function completeDistance(a: Points, b: Points, { row, other }: RowPair): number {
  const { columns } = a;
  const [x, y] = [a.values, b.values];
  let sum = 0;
  for (let j = 0, p = row * columns, q = other * columns; j < columns; j++, p++, q++) {
    const difference = (x[p] as number) - (y[q] as number);
    sum += difference * difference;
  }
  return sum;
}
