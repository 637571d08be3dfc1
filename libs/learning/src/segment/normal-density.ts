/**
 * Lower Cholesky factor of a symmetric positive definite matrix, row-major, shape [n, n]; entries above the diagonal are 0.
 *
 * @throws RangeError when a pivot is not positive
 */
export function cholesky(matrix: Float64Array, n: number): Float64Array {
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let value = matrix[i * n + j] ?? 0;
      for (let p = 0; p < j; p++) value -= (factor[i * n + p] ?? 0) * (factor[j * n + p] ?? 0);
      if (i !== j) factor[i * n + j] = value / (factor[j * n + j] ?? 1);
      else if (value > 0) factor[i * n + i] = Math.sqrt(value);
      else throw new RangeError(`the matrix is not positive definite at row ${i}`);
    }
  }
  return factor;
}

/** ln of the normal density at a row, from the mean and the lower Cholesky factor of the covariance. */
export function logDensity(row: Float64Array, mean: Float64Array, factor: Float64Array): number {
  const n = row.length;
  const solved = new Float64Array(n);
  let [squares, logDeterminant] = [0, 0];
  for (let i = 0; i < n; i++) {
    let value = (row[i] ?? 0) - (mean[i] ?? 0);
    for (let j = 0; j < i; j++) value -= (factor[i * n + j] ?? 0) * (solved[j] ?? 0);
    const pivot = factor[i * n + i] ?? 1;
    solved[i] = value / pivot;
    squares += (solved[i] ?? 0) ** 2;
    logDeterminant += Math.log(pivot);
  }
  return -0.5 * (n * Math.log(2 * Math.PI) + squares) - logDeterminant;
}
