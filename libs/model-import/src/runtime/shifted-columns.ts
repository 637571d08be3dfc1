import { randomPermutation, seededRandom } from '@sextant/learning';
import type { Run } from './model-runner.js';

/** Longest that it may take; what is not measured by then is not told. */
const MAX_MS = 5_000;
const MAX_ROWS = 500;
const SEED = 1;

/**
 * How much each column of the input moves the answer: the mean absolute change where each row has the cell of another one. Null where measuring takes too long.
 *
 * Source of the idea: Breiman (2001), "Random forests", Machine Learning 45(1), with answers in the place of errors.
 */
export async function shiftedColumns(
  run: Run,
  cells: Float32Array,
  columns: number,
): Promise<number[] | null> {
  const rows = Math.min(MAX_ROWS, cells.length / columns);
  const some = cells.slice(0, rows * columns);
  const usual = Float32Array.from(await run(some));
  const deadline = performance.now() + MAX_MS;
  const others = randomPermutation(seededRandom(SEED), rows);
  const moved: number[] = [];
  for (let column = 0; column < columns; column++) {
    if (performance.now() > deadline) return null;
    const shifted = Float32Array.from(some);
    for (let row = 0; row < rows; row++) {
      const other = others[row] ?? 0;
      shifted[row * columns + column] = some[other * columns + column] ?? Number.NaN;
    }
    const answers = await run(shifted);
    moved.push(answers.reduce((sum, value, i) => sum + Math.abs(value - (usual[i] ?? value)), 0) / rows);
  }
  return moved;
}
