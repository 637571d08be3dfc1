import { DomainError } from '@sextant/domain';
import { type Matrix, type MatrixProduct, multiply, transpose } from './matrix-product.js';
import { invertPositiveDefinite } from './positive-definite.js';

/** Below this size the direct inverse is faster than handing blocks to a product (measured from 64 to 512 on one core). */
const DIRECT = 128;

/**
 * Inverse of a symmetric positive definite matrix by recursive halving: with A = [[A₁₁, A₁₂], [A₁₂ᵀ, A₂₂]], P = A₁₁⁻¹, T = P·A₁₂ and
 * the Schur complement S = A₂₂ − A₁₂ᵀ·T, the inverse is [[P + U·Tᵀ, −U], [−Uᵀ, Q]] with Q = S⁻¹ and U = T·Q. Nearly all of its
 * 4/3·n³ operations are matrix products, so it is as fast as the product that it is given.
 *
 * @param matrix    row-major, shape [n, n]; only the lower triangle is read; overwritten by the inverse
 * @param product   {@link multiply} when absent
 * @returns         `matrix`, now the full inverse
 * @throws DomainError DATA_INSUFFICIENT when the matrix is singular, indefinite or not finite
 *
 * Source: Golub and Van Loan (2013), "Matrix computations", 4th ed., section 3.2.11 (block LU and Schur complements).
 */
export async function invertByBlocks(
  matrix: Float64Array,
  n: number,
  product: MatrixProduct = multiply,
): Promise<Float64Array> {
  await invertBlock({ values: matrix, stride: n }, { at: 0, size: n }, product);
  return matrix;
}

interface Square {
  values: Float64Array;
  stride: number;
}
interface Block {
  at: number;
  size: number;
}

async function invertBlock(a: Square, { at, size }: Block, product: MatrixProduct): Promise<void> {
  if (size <= DIRECT) {
    const block = read(a, { row: at, column: at, rows: size, columns: size });
    write(a, { row: at, column: at }, direct(block, at));
    return;
  }
  const half = Math.ceil(size / 2);
  const rest = size - half;
  const second = at + half;
  const a21 = read(a, { row: second, column: at, rows: rest, columns: half });
  await invertBlock(a, { at, size: half }, product);
  const t = await product(read(a, { row: at, column: at, rows: half, columns: half }), transpose(a21));
  subtractLower(a, second, await product(a21, t));
  await invertBlock(a, { at: second, size: rest }, product);
  const u = await product(t, read(a, { row: second, column: second, rows: rest, columns: rest }));
  add(a, at, await product(u, transpose(t)));
  for (let i = 0; i < u.values.length; i++) u.values[i] = -(u.values[i] as number);
  write(a, { row: at, column: second }, u);
  write(a, { row: second, column: at }, transpose(u));
}

function direct(block: Matrix, at: number): Matrix {
  try {
    return { ...block, values: invertPositiveDefinite(block.values, block.rows) };
  } catch (cause) {
    if (!(cause instanceof DomainError)) throw cause;
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `the matrix is not positive definite between rows ${at} and ${at + block.rows - 1}; add data or regularisation`,
      { cause },
    );
  }
}

function read(
  { values, stride }: Square,
  { row, column, rows, columns }: { row: number; column: number; rows: number; columns: number },
): Matrix {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const from = (row + i) * stride + column;
    out.set(values.subarray(from, from + columns), i * columns);
  }
  return { values: out, rows, columns };
}

function write(a: Square, { row, column }: { row: number; column: number }, block: Matrix): void {
  for (let i = 0; i < block.rows; i++) {
    const own = block.values.subarray(i * block.columns, (i + 1) * block.columns);
    a.values.set(own, (row + i) * a.stride + column);
  }
}

/** Of a diagonal block of `a` its lower triangle, less `block`. */
function subtractLower({ values, stride }: Square, at: number, block: Matrix): void {
  for (let i = 0; i < block.rows; i++) {
    const [to, from] = [(at + i) * stride + at, i * block.columns];
    for (let j = 0; j <= i; j++)
      values[to + j] = (values[to + j] as number) - (block.values[from + j] as number);
  }
}

function add({ values, stride }: Square, at: number, block: Matrix): void {
  for (let i = 0; i < block.rows; i++) {
    const [to, from] = [(at + i) * stride + at, i * block.columns];
    for (let j = 0; j < block.columns; j++)
      values[to + j] = (values[to + j] as number) + (block.values[from + j] as number);
  }
}
