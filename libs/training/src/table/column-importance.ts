import type { TableEncoding } from '@sextant/artefacts';
import { type ColumnTable, encodeTable, takeRows } from '@sextant/learning';
import { parseExplainer } from '@sextant/learning/explain';
import type { TableExamples } from './table-examples.js';
import type { FittedTableModel } from './table-model.js';
import type { Importance } from './table-plots.js';

const IMPORTANCE_ROWS = 300;

/** Mean absolute contribution of each column over up to 300 test rows, largest first; in the unit of the margin. */
export function columnImportance(
  { model, explainer }: { model: Pick<FittedTableModel, 'encoding'>; explainer: string },
  test: TableExamples,
): Importance[] {
  return importanceOfColumns({ encoding: model.encoding, explainer }, test.table);
}

/** The same of any explained model. @param explainer  text of its explain file */
export function importanceOfColumns(
  { encoding, explainer }: { encoding: TableEncoding; explainer: string },
  table: ColumnTable,
): Importance[] {
  const { columns, explain } = parseExplainer(explainer);
  const every = Math.max(1, Math.floor(table.rows / IMPORTANCE_ROWS));
  const rows = Array.from({ length: table.rows }, (_, row) => row).filter((row) => row % every === 0);
  const encoded = encodeTable(encoding, takeRows(table, rows));
  const width = encoding.features.length;
  const sums = new Float64Array(columns.length);
  for (let i = 0; i < rows.length; i++) {
    const { contributions } = explain(encoded.subarray(i * width, (i + 1) * width));
    for (const [j, contribution] of contributions.entries())
      sums[j] = (sums[j] ?? 0) + Math.abs(contribution);
  }
  return columns
    .map((column, j) => ({ column, contribution: (sums[j] ?? 0) / rows.length }))
    .sort((a, b) => b.contribution - a.contribution || (a.column < b.column ? -1 : 1));
}
