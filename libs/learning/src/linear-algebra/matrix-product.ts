/** A dense matrix, row-major, shape [rows, columns]. */
export interface Matrix {
  values: Float64Array;
  rows: number;
  columns: number;
}

/**
 * Product of two matrices. Large fits take it as an argument, so that a caller with a faster one (ONNX Runtime's, a GPU's) can
 * hand it in; asynchronous for the same reason.
 *
 * @param left   shape [m, k]
 * @param right  shape [k, n]
 * @returns      shape [m, n]
 */
export type MatrixProduct = (left: Matrix, right: Matrix) => Promise<Matrix>;

/**
 * The product in plain arithmetic, for small or sparse matrices and where nothing faster is at hand.
 *
 * @throws RangeError when the inner dimensions differ
 */
export function multiply(left: Matrix, right: Matrix): Promise<Matrix> {
  if (left.columns !== right.rows)
    throw new RangeError(`cannot multiply ${left.columns} columns with ${right.rows} rows`);
  const values = new Float64Array(left.rows * right.columns);
  for (let i = 0; i < left.rows; i++) accumulateRow(left, right, { i, out: values });
  return Promise.resolve({ values, rows: left.rows, columns: right.columns });
}

/** Rows of `right` weighted by row i of `left`; zeros cost nothing, so that sparse histories are cheap. */
function accumulateRow(left: Matrix, right: Matrix, { i, out }: { i: number; out: Float64Array }): void {
  const n = right.columns;
  for (let k = 0; k < left.columns; k++) {
    const weight = left.values[i * left.columns + k] as number;
    if (weight === 0) continue;
    const [from, to] = [k * n, i * n];
    for (let j = 0; j < n; j++)
      out[to + j] = (out[to + j] as number) + weight * (right.values[from + j] as number);
  }
}

/** In 32 × 32 tiles, so that both sides stay in the cache. */
export function transpose({ values, rows, columns }: Matrix): Matrix {
  const out = new Float64Array(values.length);
  const tile = 32;
  for (let i0 = 0; i0 < rows; i0 += tile) {
    for (let j0 = 0; j0 < columns; j0 += tile) {
      for (let i = i0; i < Math.min(rows, i0 + tile); i++) {
        for (let j = j0; j < Math.min(columns, j0 + tile); j++)
          out[j * rows + i] = values[i * columns + j] as number;
      }
    }
  }
  return { values: out, rows: columns, columns: rows };
}
