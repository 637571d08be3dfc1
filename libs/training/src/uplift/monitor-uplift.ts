import type { MonitoringReference, TableEncoding } from '@sextant/artefacts';
import { type ColumnTable, encodeTable } from '@sextant/learning';
import { buildReference } from '@sextant/learning/monitor';
import { formProbabilities, type ModelForm, predictUplift, type UpliftModel } from '@sextant/learning/uplift';
import { shuffledImportance } from '../monitor/index.js';

export interface MonitoredUplift {
  table: ColumnTable;
  encoding: TableEncoding;
  without: ModelForm;
  actions: readonly UpliftModel[];
  /** of each row */
  subjects: readonly string[];
  /** milliseconds since 1970; null where the rows carry no times */
  at: Float64Array | null;
}

/**
 * What served rows are compared with: the columns of everybody in the experiments, and the probability without an action. Effects are not:
 * the models have seen these rows, so their own predictions here are wider than they will be.
 */
export function monitorUplift({
  table,
  encoding,
  without,
  actions,
  subjects,
  at,
}: MonitoredUplift): MonitoringReference {
  const width = encoding.features.length;
  const anyway = (rows: Float32Array): Float64Array => formProbabilities(without, rows, width);
  const answers = (shown: ColumnTable): Float64Array => {
    const rows = encodeTable(encoding, shown);
    return Float64Array.from([
      ...anyway(rows),
      ...actions.flatMap((model) => [...predictUplift(model, rows, width)]),
    ]);
  };
  const dates = new Set(encoding.columns.filter(({ kind }) => kind === 'date').map(({ column }) => column));
  const importance = shuffledImportance(table, answers);
  for (const date of dates) importance.delete(date);
  return buildReference({
    table,
    at,
    subjects,
    importance,
    scores: [{ name: 'without', values: anyway(encodeTable(encoding, table)), labels: null }],
  });
}
