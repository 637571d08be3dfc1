import type { Attribution, FeatureContribution } from '@sextant/inference-protocol';
import type { ColumnTable } from '@sextant/learning';
import type { ExplainerOutline } from '../models/prepared-task.js';
import { cellOf } from './feature-table.js';

/**
 * One row's attribution from the explain program's output.
 *
 * @param values     base value, then one contribution a raw column, shape [columns + 1]
 * @param explained  the value that they should add up to; what is missing becomes the residual
 */
export function attributionOf(
  outline: ExplainerOutline,
  values: Float64Array,
  { table, row, explained }: { table: ColumnTable; row: number; explained: number },
): Attribution {
  const baseValue = values[0] ?? 0;
  const contributions = outline.columns.map((feature, i): FeatureContribution => {
    const cell = cellOf(
      table.columns.find((column) => column.name === feature),
      row,
    );
    const contribution = values[i + 1] ?? 0;
    if (cell === null) return { feature, contribution };
    return typeof cell === 'number'
      ? { feature, contribution, number: cell }
      : { feature, contribution, text: cell };
  });
  const residual = contributions.reduce(
    (rest, { contribution }) => rest - contribution,
    explained - baseValue,
  );
  return { method: outline.method, baseValue, contributions, residual };
}
