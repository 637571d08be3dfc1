import { type BgNbdParameters, bgNbdProcess } from './bg-nbd.js';
import { expectedSpend, type GammaGammaParameters, type SpendBasis } from './gamma-gamma.js';
import { type ParetoNbdParameters, paretoNbdProcess } from './pareto-nbd.js';
import type { PurchaseHistories } from './purchase-history.js';
import type { PurchaseProcess } from './purchase-process.js';

export type ProcessParameters = BgNbdParameters | ParetoNbdParameters;
export type ProcessFamily = ProcessParameters['family'];

/** Everything a forecast needs. */
export interface LifetimeModel {
  process: ProcessParameters;
  /** Null where orders have no value. */
  spend: GammaGammaParameters | null;
  /** `repeats` when absent. */
  spendBasis?: SpendBasis;
  /** Days of one period. */
  periodDays: number;
  /** E.g. 0.1: a purchase in a year is worth 1 / 1.1 of one today. */
  annualDiscountRate: number;
}

/** One column a figure, shape [n]. */
export interface LifetimeForecast {
  probabilityAlive: Float64Array;
  expectedPurchases: Float64Array;
  /** Expected value of the purchases, each discounted from the end of its month; NaN without a spend model. */
  value: Float64Array;
}

/** A twelfth of a mean Gregorian year. */
export const MONTH_DAYS = 365.2425 / 12;

export function purchaseProcess(parameters: ProcessParameters): PurchaseProcess {
  return parameters.family === 'bg-nbd' ? bgNbdProcess(parameters) : paretoNbdProcess(parameters);
}

/**
 * Probability of being alive, expected purchases and discounted value within a horizon.
 *
 * @param horizon  periods from each customer's `age`
 * @throws RangeError when the horizon is negative or not finite
 */
export function forecastLifetime(
  model: LifetimeModel,
  histories: PurchaseHistories,
  horizon: number,
): LifetimeForecast {
  if (!(horizon >= 0 && Number.isFinite(horizon))) {
    throw new RangeError(`a horizon is a finite number of periods >= 0, got ${horizon}`);
  }
  const process = purchaseProcess(model.process);
  const { ends, discounts } = discountedMonths(model, horizon);
  const counts = new Float64Array(ends.length);
  const [first, means] = model.spendBasis === 'all' ? [1, histories.meanValue] : [0, histories.meanSpend];
  const n = histories.frequency.length;
  const forecast = {
    probabilityAlive: new Float64Array(n),
    expectedPurchases: new Float64Array(n),
    value: new Float64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const x = histories.frequency[i] as number;
    const age = histories.age[i] as number;
    const alive = process.probabilityAlive(x, histories.recency[i] as number, age);
    process.purchasesWhenAlive(x, age, ends, counts);
    let [before, discounted] = [0, 0];
    for (let month = 0; month < counts.length; month++) {
      const until = counts[month] as number;
      discounted += (discounts[month] as number) * (until - before);
      before = until;
    }
    const spend =
      model.spend === null ? Number.NaN : expectedSpend(model.spend, x + first, means[i] as number);
    forecast.probabilityAlive[i] = alive;
    forecast.expectedPurchases[i] = alive * before;
    forecast.value[i] = alive * discounted * spend;
  }
  return forecast;
}

/** Ends of the months within the horizon, the last cut to it, in periods, and what a unit of money at each is worth now. */
export function discountedMonths(
  { periodDays, annualDiscountRate }: Pick<LifetimeModel, 'periodDays' | 'annualDiscountRate'>,
  horizon: number,
): { ends: Float64Array; discounts: Float64Array } {
  const month = MONTH_DAYS / periodDays;
  const months = Math.max(1, Math.ceil(horizon / month - 1e-9));
  return {
    ends: Float64Array.from({ length: months }, (_, i) => Math.min(horizon, (i + 1) * month)),
    discounts: Float64Array.from({ length: months }, (_, i) => (1 + annualDiscountRate) ** (-(i + 1) / 12)),
  };
}
