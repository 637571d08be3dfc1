import type { MonitoringReference, TableEncoding } from '@sextant/artefacts';
import { type DemandRow, demandTable, PRICE_COLUMN, PRODUCT_COLUMN } from '@sextant/learning';
import { buildReference } from '@sextant/learning/monitor';
import { importanceOfColumns } from '../table/index.js';

/**
 * What quotes are compared with: the context columns. Prices are the model's own choice and which products are asked for is the shop's, so
 * neither is like what was observed, and answers at chosen prices are not either.
 */
export function monitorPrice(
  { encoding, explainer }: { encoding: TableEncoding; explainer: string },
  rows: readonly DemandRow[],
): MonitoringReference {
  const table = demandTable(rows);
  const context = table.columns.filter(({ name }) => name !== PRICE_COLUMN && name !== PRODUCT_COLUMN);
  const importance = importanceOfColumns({ encoding, explainer }, table);
  return buildReference({
    table: { rows: table.rows, columns: context },
    at: Float64Array.from(rows, ({ at }) => at.getTime()),
    subjects: null,
    importance: new Map(importance.map(({ column, contribution }) => [column, contribution])),
    scores: [],
  });
}
