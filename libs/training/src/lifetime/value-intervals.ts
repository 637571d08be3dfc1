import type { LifetimeSpec } from '@sextant/artefacts';
import { quantile } from '@sextant/learning';

export type ValueInterval = LifetimeSpec['reliability'][number];

const BINS = 8;
/** Quantiles of 5 % and 95 % need that many rows to rest on more than one customer a side. */
const MIN_ROWS = 40;
const TAIL = 0.05;

/**
 * How far actual value lay from the forecast, by size of the forecast: 5 % and 95 % quantiles as a share of the forecast plus
 * one mean order, so that a forecast near 0 has an interval too.
 *
 * @returns  bins of about equal numbers of customers, ascending; one without any customer at all
 */
export function valueIntervals(
  { forecast, actual }: { forecast: Float64Array; actual: Float64Array },
  meanOrderValue: number,
): ValueInterval[] {
  const order = Uint32Array.from(forecast.keys()).sort((a, b) => (forecast[a] ?? 0) - (forecast[b] ?? 0));
  const bins = Math.max(1, Math.min(BINS, Math.floor(order.length / MIN_ROWS)));
  return Array.from({ length: bins }, (_, bin) => {
    const rows = order.subarray(
      Math.floor((bin * order.length) / bins),
      Math.floor(((bin + 1) * order.length) / bins),
    );
    const shares = Array.from(rows, (row) => {
      const expected = forecast[row] ?? 0;
      return ((actual[row] ?? 0) - expected) / (expected + meanOrderValue);
    }).sort((a, b) => a - b);
    return {
      upTo: forecast[rows.at(-1) ?? 0] ?? 0,
      rows: rows.length,
      low: quantile(shares, TAIL) ?? 0,
      high: quantile(shares, 1 - TAIL) ?? 0,
    };
  });
}
