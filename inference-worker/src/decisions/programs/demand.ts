import type { PriceSpec } from '@sextant/artefacts';
import { normalQuantile } from '@sextant/learning';

export const DEMAND_INTERVAL_LEVEL = 0.9;
/** Standard deviations between the middle and an end of the interval. */
const INTERVAL_SDS = normalQuantile((1 + DEMAND_INTERVAL_LEVEL) / 2);

/** Units of one row per period: the model gives their median; errors are log-normal. */
export interface Demand {
  median: number;
  expected: number;
  low: number;
  high: number;
}

/**
 * @param logUnits  the model's output for the row
 * @returns         mean by Duan's smearing factor, and the two-sided interval at DEMAND_INTERVAL_LEVEL from the validation residuals
 *
 * Source: Duan (1983), "Smearing estimate: a nonparametric retransformation method", JASA 78(383).
 */
export function demandOf(spec: PriceSpec, logUnits: number): Demand {
  const median = Math.exp(logUnits);
  const expected = expectedUnits(spec, logUnits);
  const spread = Math.exp(INTERVAL_SDS * spec.residualSd);
  return {
    median,
    expected,
    low: Math.min(median / spread, expected),
    high: Math.max(median * spread, expected),
  };
}

/** The mean alone, for the many prices of a search. */
export function expectedUnits(spec: PriceSpec, logUnits: number): number {
  return spec.smearing * Math.exp(logUnits);
}
