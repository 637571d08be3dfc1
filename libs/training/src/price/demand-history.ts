import { DomainError } from '@sextant/domain';
import type { Cell, DemandRow } from '@sextant/learning';

/** A demand row with the series it belongs to (a product in a store) and its period, a count such as a week number. */
export interface SeriesRow {
  row: DemandRow;
  series: string;
  period: number;
}

export interface HistoryOptions {
  /** Periods between what is known and the row: 1 forecasts the next period, 8 the eighth from now. A positive integer. */
  horizon: number;
}

const WINDOWS = [4, 8, 26] as const;
const LAST_UNITS = 'log units last seen';
const LAST_PRICE = 'log price last seen';
const USUAL_PRICE = 'mean log price of last 8';
const GAP = 'periods since last seen';

/**
 * Adds what a forecaster knows of each row's series `horizon` periods before it: log(1 + units) and log price when it was last seen, means
 * over the last 4, 8 and 26 times, and how long ago. Nothing later than `period − horizon` of the same series enters; a row
 * without a past has missing cells. None of the columns depends on the row's own price, so a price can be moved with them held fixed.
 *
 * @returns the rows in the order given, with more context
 * @throws DomainError INVALID_INPUT for a horizon that is no positive integer
 */
export function withHistory(rows: readonly SeriesRow[], { horizon }: HistoryOptions): DemandRow[] {
  if (!Number.isInteger(horizon) || horizon < 1)
    throw new DomainError(
      'INVALID_INPUT',
      `the horizon must be a positive number of periods, got ${horizon}`,
      {
        path: 'horizon',
      },
    );
  const result: DemandRow[] = rows.map(({ row }) => row);
  const indices = rows.map((_, index) => index);
  for (const own of Map.groupBy(indices, (index) => rows[index]?.series ?? '').values()) {
    own.sort((a, b) => (rows[a]?.period ?? 0) - (rows[b]?.period ?? 0) || a - b);
    addHistory(
      own.map((index) => ({ index, found: rows[index] })),
      horizon,
      result,
    );
  }
  return result;
}

function addHistory(
  series: readonly { index: number; found: SeriesRow | undefined }[],
  horizon: number,
  result: DemandRow[],
): void {
  const units = series.map(({ found }) => Math.log1p(found?.row.units ?? 0));
  const prices = series.map(({ found }) => Math.log(found?.row.price ?? 1));
  let known = 0;
  for (const { index, found } of series) {
    if (!found) continue;
    while ((series[known]?.found?.period ?? Number.POSITIVE_INFINITY) <= found.period - horizon) known++;
    const context: Record<string, Cell> = { ...found.row.context };
    const last = series[known - 1]?.found;
    context[LAST_UNITS] = units[known - 1] ?? null;
    context[LAST_PRICE] = prices[known - 1] ?? null;
    context[USUAL_PRICE] = meanOfLast(prices, known, 8);
    context[GAP] = last ? found.period - last.period : null;
    for (const window of WINDOWS)
      context[`mean log units of last ${window}`] = meanOfLast(units, known, window);
    result[index] = { ...found.row, context };
  }
}

/** Mean of up to `window` values before position `end`; null where there is none. */
function meanOfLast(values: readonly number[], end: number, window: number): number | null {
  const from = Math.max(0, end - window);
  if (from >= end) return null;
  let sum = 0;
  for (let i = from; i < end; i++) sum += values[i] ?? 0;
  return sum / (end - from);
}
