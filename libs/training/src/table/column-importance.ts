import { encodeTable } from '@sextant/learning';
import { parseExplainer } from '@sextant/learning/explain';
import { takeExamples, type TableExamples } from './table-examples.js';
import type { FittedTableModel } from './table-model.js';
import type { Importance } from './table-plots.js';

const IMPORTANCE_ROWS = 300;

/** Mean absolute contribution of each column over up to 300 test rows, largest first; in the unit of the margin. */
export function columnImportance(
  { model, explainer }: { model: Pick<FittedTableModel, 'encoding'>; explainer: string },
  test: TableExamples,
): Importance[] {
  const { columns, explain } = parseExplainer(explainer);
  const every = Math.max(1, Math.floor(test.labels.length / IMPORTANCE_ROWS));
  const rows = Array.from(test.labels.keys()).filter((row) => row % every === 0);
  const encoded = encodeTable(model.encoding, takeExamples(test, rows).table);
  const width = model.encoding.features.length;
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
