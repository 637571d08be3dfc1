import { numericView, type TableColumn } from '@sextant/learning';
import type { TableExamples } from './table-examples.js';

/** The same amount in another currency, or with its tax, moves so exactly; what is known before leaves more than 0.1 % of the variance open. */
const LEAK = 0.9995;
const SUSPICIOUS = 0.98;
const MIN_ROWS = 30;

/** Columns whose numbers are the outcome in other words, by correlation. */
export function amountLeaks(
  { table, values = new Float32Array(0) }: TableExamples,
  keep: readonly string[],
): { leaks: string[]; warnings: string[] } {
  const leaks: string[] = [];
  const warnings: string[] = [];
  for (const column of table.columns) {
    const found = strength(column, values);
    if (found < SUSPICIOUS) continue;
    const says = `correlation ${found.toFixed(3)} with the outcome`;
    const isLeak = found >= LEAK;
    if (isLeak && !keep.includes(column.name)) {
      leaks.push(column.name);
      warnings.push(`column "${column.name}" left out: it gives the outcome away (${says})`);
    } else warnings.push(`column "${column.name}" has a ${says}: check that it is known before the outcome`);
  }
  return { leaks, warnings };
}

/** Absolute correlation over the rows where the column has a number; 0 where these are too few. */
function strength(column: TableColumn, values: Float32Array): number {
  const cells = numericView(column);
  const rows = Array.from(cells.keys()).filter((row) => Number.isFinite(cells[row]));
  if (rows.length < MIN_ROWS) return 0;
  const [x, y] = [rows.map((row) => cells[row] ?? 0), rows.map((row) => values[row] ?? 0)];
  return Math.abs(correlation(x, y));
}

/** Pearson's; 0 where one side is constant. */
function correlation(x: readonly number[], y: readonly number[]): number {
  const middle = (of: readonly number[]): number => of.reduce((sum, value) => sum + value / of.length, 0);
  const [meanX, meanY] = [middle(x), middle(y)];
  let [xx, yy, xy] = [0, 0, 0];
  for (const [i, value] of x.entries()) {
    const [dx, dy] = [value - meanX, (y[i] ?? 0) - meanY];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0;
}
