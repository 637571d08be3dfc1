import type { Measured } from '@sextant/artefacts';
import {
  absoluteErrors,
  bootstrap,
  type BootstrapOptions,
  measuredMean,
  measuredRootMean,
  squaredErrors,
} from '@sextant/learning';
import type { Forecast } from './lifetime-baselines.js';
import type { ObservedCustomers } from './observed-customers.js';

export interface CalibrationBin {
  /** Highest expectation in the bin. */
  upTo: number;
  customers: number;
  expected: number;
  actual: number;
}

const BINS = 10;

/** Errors of a forecast on what came after; those of spend only where orders have a value, those of sums only where there was one. */
export function lifetimeFigures(
  forecast: Forecast,
  { purchases, spend }: ObservedCustomers,
  options: BootstrapOptions,
): Record<string, Measured> {
  const ofPurchases = {
    maeTransactions: measuredMean(absoluteErrors(purchases, forecast.purchases), options),
    rmseTransactions: measuredRootMean(squaredErrors(purchases, forecast.purchases), options),
    totalErrorTransactions: totalError(forecast.purchases, purchases, options),
  };
  const hasSpend = !spend.some(Number.isNaN) && !forecast.spend.some(Number.isNaN);
  const ofSpend = hasSpend && {
    maeSpend: measuredMean(absoluteErrors(spend, forecast.spend), options),
    rmseSpend: measuredRootMean(squaredErrors(spend, forecast.spend), options),
    totalErrorSpend: totalError(forecast.spend, spend, options),
  };
  return Object.fromEntries(
    Object.entries({ ...ofPurchases, ...ofSpend }).filter(([, { value }]) => Number.isFinite(value)),
  );
}

/** Forecast over actual of the sum of all customers, less 1; NaN when nothing happened. */
function totalError(forecast: Float64Array, actual: Float64Array, options: BootstrapOptions): Measured {
  return bootstrap(
    actual.length,
    (weights) => {
      let [expected, happened] = [0, 0];
      for (let i = 0; i < weights.length; i++) {
        expected += (weights[i] ?? 0) * (forecast[i] ?? 0);
        happened += (weights[i] ?? 0) * (actual[i] ?? 0);
      }
      return happened === 0 ? Number.NaN : expected / happened - 1;
    },
    options,
  );
}

/** Mean expectation beside mean outcome in tenths of the customers by expectation, ascending. */
export function calibrationByDecile(expected: Float64Array, actual: Float64Array): CalibrationBin[] {
  const order = Uint32Array.from(expected.keys()).sort((a, b) => (expected[a] ?? 0) - (expected[b] ?? 0));
  const bins: CalibrationBin[] = [];
  const count = Math.min(BINS, order.length);
  for (let bin = 0; bin < count; bin++) {
    const rows = order.subarray(
      Math.floor((bin * order.length) / count),
      Math.floor(((bin + 1) * order.length) / count),
    );
    const meanOf = (values: Float64Array): number =>
      rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length;
    bins.push({
      upTo: expected[rows.at(-1) ?? 0] ?? 0,
      customers: rows.length,
      expected: meanOf(expected),
      actual: meanOf(actual),
    });
  }
  return bins;
}
