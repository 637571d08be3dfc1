import { DomainError } from '@sextant/domain';

const TILE = 4;

/**
 * Inverse of a symmetric positive definite matrix by Cholesky: A = L·Lᵀ, T = L⁻ᵀ, A⁻¹ = T·Tᵀ. All three steps are products of
 * contiguous rows, taken as 4 × 4 tiles, and share one array: L below the diagonal, T on and above it. About n³/2 multiply-adds.
 *
 * @param matrix  row-major, shape [n, n]; only the lower triangle is read
 * @returns       the full inverse, row-major, shape [n, n]
 * @throws DomainError DATA_INSUFFICIENT when a pivot is not positive: the matrix is singular, indefinite or not finite
 *
 * Source: Golub and Van Loan (2013), "Matrix computations", 4th ed., sections 4.2 and 3.1.
 */
export function invertPositiveDefinite(matrix: Float64Array, n: number): Float64Array {
  const stride = Math.ceil(n / TILE) * TILE;
  const a = padded(matrix, n, stride);
  const pivots = factor(a, stride);
  transposeInverse(a, stride, pivots);
  multiplyByTranspose(a, stride);
  return unpadded(a, n, stride);
}

/** L below the diagonal of `a`; returns the diagonal of L. */
function factor(a: Float64Array, n: number): Float64Array {
  const pivots = new Float64Array(n);
  const dots = new Float64Array(TILE * TILE);
  for (let i0 = 0; i0 < n; i0 += TILE) {
    for (let j0 = 0; j0 <= i0; j0 += TILE) {
      tileDots(a, { n, i0, j0, from: 0, to: j0 }, dots);
      finishFactorTile(a, { n, i0, j0 }, { dots, pivots });
    }
  }
  return pivots;
}

function finishFactorTile(
  a: Float64Array,
  { n, i0, j0 }: { n: number; i0: number; j0: number },
  { dots, pivots }: { dots: Float64Array; pivots: Float64Array },
): void {
  for (let i = i0; i < i0 + TILE; i++) {
    for (let j = j0; j < j0 + TILE && j <= i; j++) {
      let value = at(a, i * n + j) - at(dots, (i - i0) * TILE + j - j0);
      for (let k = j0; k < j; k++) value -= at(a, i * n + k) * at(a, j * n + k);
      if (i !== j) a[i * n + j] = value / at(pivots, j);
      else if (value > 0 && Number.isFinite(value)) pivots[j] = Math.sqrt(value);
      else
        throw new DomainError(
          'DATA_INSUFFICIENT',
          `the matrix is not positive definite at row ${i}; add data or regularisation`,
        );
    }
  }
}

/** T = L⁻ᵀ on and above the diagonal: T[j,k] = −(Σ_{j≤p<k} L[k,p]·T[j,p]) / L[k,k]. */
function transposeInverse(a: Float64Array, n: number, pivots: Float64Array): void {
  const dots = new Float64Array(TILE * TILE);
  for (let j0 = 0; j0 < n; j0 += TILE) {
    for (let k0 = j0; k0 < n; k0 += TILE) {
      tileDots(a, { n, i0: j0, j0: k0, from: j0 + TILE, to: k0 }, dots);
      finishInverseTile(a, { n, i0: j0, j0: k0 }, { dots, pivots });
    }
  }
}

function finishInverseTile(
  a: Float64Array,
  { n, i0: j0, j0: k0 }: { n: number; i0: number; j0: number },
  { dots, pivots }: { dots: Float64Array; pivots: Float64Array },
): void {
  const tileEnd = j0 + TILE;
  for (let j = j0; j < tileEnd; j++) {
    for (let k = Math.max(j, k0); k < k0 + TILE; k++) {
      let sum = at(dots, (j - j0) * TILE + k - k0);
      for (let p = j; p < Math.min(tileEnd, k); p++) sum += at(a, k * n + p) * at(a, j * n + p);
      for (let p = Math.max(k0, tileEnd); p < k; p++) sum += at(a, k * n + p) * at(a, j * n + p);
      a[j * n + k] = j === k ? 1 / at(pivots, k) : -sum / at(pivots, k);
    }
  }
}

/** P = T·Tᵀ in place of T: a tile needs only entries of T at and right of its own columns, so ascending order is safe. */
function multiplyByTranspose(a: Float64Array, n: number): void {
  const dots = new Float64Array(TILE * TILE);
  for (let i0 = 0; i0 < n; i0 += TILE) {
    for (let j0 = i0; j0 < n; j0 += TILE) {
      tileDots(a, { n, i0, j0, from: j0 + TILE, to: n }, dots);
      finishProductTile(a, { n, i0, j0 }, dots);
    }
  }
}

/** All sums of the tile first, then the writes: the sums read what the writes replace. */
function finishProductTile(
  a: Float64Array,
  { n, i0, j0 }: { n: number; i0: number; j0: number },
  dots: Float64Array,
): void {
  const sumAt = (i: number, j: number): number => {
    let sum = at(dots, (i - i0) * TILE + j - j0);
    for (let k = j; k < j0 + TILE; k++) sum += at(a, i * n + k) * at(a, j * n + k);
    return sum;
  };
  for (let i = i0; i < i0 + TILE; i++) {
    for (let j = Math.max(i, j0); j < j0 + TILE; j++) dots[(i - i0) * TILE + j - j0] = sumAt(i, j);
  }
  for (let i = i0; i < i0 + TILE; i++) {
    for (let j = Math.max(i, j0); j < j0 + TILE; j++) a[i * n + j] = at(dots, (i - i0) * TILE + j - j0);
  }
}

interface TileRange {
  n: number;
  i0: number;
  j0: number;
  from: number;
  to: number;
}

/** Products of rows i0..i0+3 with rows j0..j0+3 over columns [from, to), written to `out` as 4 × 4. */
function tileDots(a: Float64Array, range: TileRange, out: Float64Array): void {
  const { n, i0, j0, from, to } = range;
  twoByFour(a, { n, i0, j0, from, to }, out);
  twoByFour(a, { n, i0: i0 + 2, j0, from, to }, out.subarray(2 * TILE));
}

/** Eight sums stay in registers: two rows against four. */
function twoByFour(a: Float64Array, { n, i0, j0, from, to }: TileRange, out: Float64Array): void {
  const [i, j] = [i0 * n, j0 * n];
  let [s0, s1, s2, s3, t0, t1, t2, t3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let k = from; k < to; k++) {
    const x = at(a, i + k);
    const y = at(a, i + n + k);
    const b0 = at(a, j + k);
    const b1 = at(a, j + n + k);
    const b2 = at(a, j + 2 * n + k);
    const b3 = at(a, j + 3 * n + k);
    s0 += x * b0;
    s1 += x * b1;
    s2 += x * b2;
    s3 += x * b3;
    t0 += y * b0;
    t1 += y * b1;
    t2 += y * b2;
    t3 += y * b3;
  }
  out[0] = s0;
  out[1] = s1;
  out[2] = s2;
  out[3] = s3;
  out[4] = t0;
  out[5] = t1;
  out[6] = t2;
  out[7] = t3;
}

/** Every index here is in range by construction; `as` instead of a check keeps the inner loop free of branches. */
function at(values: Float64Array, index: number): number {
  return values[index] as number;
}

function padded(matrix: Float64Array, n: number, stride: number): Float64Array {
  const a = new Float64Array(stride * stride);
  for (let i = 0; i < n; i++) a.set(matrix.subarray(i * n, i * n + i + 1), i * stride);
  for (let i = n; i < stride; i++) a[i * stride + i] = 1;
  return a;
}

function unpadded(a: Float64Array, n: number, stride: number): Float64Array {
  const inverse = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      const value = at(a, i * stride + j);
      inverse[i * n + j] = value;
      inverse[j * n + i] = value;
    }
  }
  return inverse;
}
