import { type ColumnTable, takeRows } from '@sextant/learning';

const SAMPLED_ROWS = 400;

/**
 * How much the answers move when the cells of one column are dealt to other rows: the mean absolute difference over up to 400 rows, by
 * column. For models that cannot explain themselves.
 *
 * @param answers  of a table, any number a row
 */
export function shuffledImportance(
  table: ColumnTable,
  answers: (table: ColumnTable) => Float64Array,
): Map<string, number> {
  const every = Math.max(1, Math.floor(table.rows / SAMPLED_ROWS));
  const picked = Array.from({ length: Math.floor(table.rows / every) }, (_, i) => i * every);
  const sample = takeRows(table, picked);
  const half = Math.floor(picked.length / 2);
  const dealt = takeRows(
    sample,
    picked.map((_, i) => (i + half) % picked.length),
  );
  const before = answers(sample);
  return new Map(
    sample.columns.map(({ name }, at) => {
      const columns = sample.columns.map((column, i) => (i === at ? (dealt.columns[i] ?? column) : column));
      const after = answers({ rows: sample.rows, columns });
      const moved = after.reduce((sum, value, i) => sum + Math.abs(value - (before[i] ?? 0)), 0);
      return [name, Number.isFinite(moved) ? moved / Math.max(1, after.length) : 0];
    }),
  );
}
