import type { MonitoringReference } from '@sextant/artefacts';
import { type ColumnTable, numericView } from '@sextant/learning';
import { forecastLifetime, type LifetimeModel, type PurchaseHistories } from '@sextant/learning/lifetime';
import { buildReference } from '@sextant/learning/monitor';
import { shuffledImportance } from '../monitor/index.js';

const HORIZON_DAYS = 365;

/**
 * What served customers are compared with. Their age is not: everybody's grows by a day a day. Forecasts are not, which depend on the
 * horizon that is asked for; the probability of being alive is.
 *
 * @param histories  of everybody, times in periods
 */
export function monitorLifetime(
  model: LifetimeModel,
  histories: PurchaseHistories,
  periodDays: number,
): MonitoringReference {
  const days = (periods: Float64Array): Float64Array => periods.map((each) => Math.round(each * periodDays));
  const column = (name: string, values: Float64Array) => ({ kind: 'numeric' as const, name, values });
  const table: ColumnTable = {
    rows: histories.frequency.length,
    columns: [
      column('repeats', histories.frequency),
      column('recency_days', days(histories.recency)),
      column('mean_value', histories.meanValue),
    ],
  };
  const answers = (shown: ColumnTable): Float64Array =>
    forecastLifetime(model, withCells(histories, shown, periodDays), HORIZON_DAYS / periodDays).value;
  const alive = forecastLifetime(model, histories, 0).probabilityAlive;
  return buildReference({
    table,
    at: null,
    subjects: null,
    importance: shuffledImportance(table, answers),
    scores: [{ name: 'alive', values: alive, labels: null }],
  });
}

/** Customers with these cells and the longest age that there is, so that no recency exceeds it. */
function withCells(
  histories: PurchaseHistories,
  { columns }: ColumnTable,
  periodDays: number,
): PurchaseHistories {
  const [frequency, recency, meanValue] = columns.map(numericView);
  const oldest = histories.age.reduce((max, age) => Math.max(max, age), 0);
  const rows = frequency?.length ?? 0;
  const value = meanValue ?? new Float64Array(rows);
  return {
    frequency: frequency ?? new Float64Array(rows),
    recency: Float64Array.from(recency ?? [], (each) => Math.min(oldest, each / periodDays)),
    age: new Float64Array(rows).fill(oldest),
    meanSpend: value,
    meanValue: value,
  };
}
