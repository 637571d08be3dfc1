import type { PurchaseSummary } from '@sextant/features';
import type { ValueEstimate } from './value-estimate.js';

export const REPEAT_RATE_RULE = 'heuristic.repeat-rate@1';

/** A rate of two purchases within a week is no rate for a year. */
const MIN_AGE_DAYS = 30;
const INTERVAL_LEVEL = 0.8;
/** The interval reaches from nothing to this many times the forecast, and one order more. */
const HIGH_FACTOR = 3;

/** In place of the model: every customer goes on as before, at the mean value of their purchases. */
export function valueByRepeatRate(
  { repeats, ageDays, meanValue, currency }: PurchaseSummary,
  { horizonDays, defaultCurrency }: { horizonDays: number; defaultCurrency: string },
): ValueEstimate {
  const expectedPurchases = (repeats / Math.max(ageDays, MIN_AGE_DAYS)) * horizonDays;
  const value = expectedPurchases * meanValue;
  return {
    value,
    low: 0,
    high: HIGH_FACTOR * value + meanValue,
    level: INTERVAL_LEVEL,
    probabilityAlive: 1,
    expectedPurchases,
    currency: currency ?? defaultCurrency,
  };
}
