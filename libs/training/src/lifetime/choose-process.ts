import type { Measured } from '@sextant/artefacts';
import { absoluteErrors, mean, measuredMean, pairedDifference } from '@sextant/learning';
import {
  fitBgNbd,
  fitParetoNbd,
  forecastLifetime,
  type ProcessFamily,
  type PurchaseDay,
} from '@sextant/learning/lifetime';
import { firstDayOf, observeCustomers, type ObservedCustomers } from './observed-customers.js';

/** Days of validation below which a comparison says nothing, in periods. */
const MIN_VALIDATION_PERIODS = 2;
/** Where nobody leaves the two are one model; a gain below this share of the error is none. */
const MIN_GAIN = 1e-3;

export interface ProcessChoice {
  family: ProcessFamily;
  because: string;
  /** Mean absolute error of purchases in the validation days by family; empty where there was nothing to validate on. */
  validation: Partial<Record<ProcessFamily, Measured>>;
}

export interface ChoiceOptions {
  until: number;
  periodDays: number;
  /** What will be forecast; the validation is as long, at most half of what is known. */
  horizonDays: number;
  seed: number;
}

/**
 * BG/NBD, or Pareto/NBD where it forecasts the last part of the known time better beyond noise: both are fitted on the time before
 * it. BG/NBD otherwise, since it is the cheaper one to fit and to serve.
 */
export function chooseProcess(
  customers: readonly (readonly PurchaseDay[])[],
  options: ChoiceOptions,
): ProcessChoice {
  const split = innerSplit(customers, options);
  if (split === null) {
    return {
      family: 'bg-nbd',
      because: 'the known time is too short, or too few came back in it, to compare with Pareto/NBD',
      validation: {},
    };
  }
  const errors = (['bg-nbd', 'pareto-nbd'] as const).map((family) =>
    validationErrors(split.observed, family, split.periods),
  );
  const [bg = new Float64Array(), pareto = new Float64Array()] = errors;
  const [seed, gain] = [options.seed, pairedDifference(bg, pareto, { seed: options.seed })];
  const isWorthIt = gain.low > 0 && gain.value > MIN_GAIN * mean(bg);
  const family = isWorthIt ? 'pareto-nbd' : 'bg-nbd';
  const interval = `${gain.low.toPrecision(3)} to ${gain.high.toPrecision(3)}`;
  return {
    family,
    because: `in the ${split.days} days before the end of calibration Pareto/NBD's absolute error of purchases is ${gain.value.toPrecision(3)} lower than BG/NBD's (${interval}, paired bootstrap)${family === 'bg-nbd' ? ': no gain worth it beyond noise, and BG/NBD is the simpler one' : ''}`,
    validation: { 'bg-nbd': measuredMean(bg, { seed }), 'pareto-nbd': measuredMean(pareto, { seed }) },
  };
}

export interface InnerSplit {
  observed: ObservedCustomers;
  days: number;
  periods: number;
}

/** The last part of the known time apart; null when it or what is before it is too short, or nobody came back. */
export function innerSplit(
  customers: readonly (readonly PurchaseDay[])[],
  { until, periodDays, horizonDays }: ChoiceOptions,
): InnerSplit | null {
  const known = until - firstDayOf(customers);
  const days = Math.floor(Math.min(horizonDays, known / 2));
  if (!(days >= MIN_VALIDATION_PERIODS * periodDays)) return null;
  const observed = observeCustomers(customers, { until: until - days, end: until, periodDays });
  const cameBack = observed.histories.frequency.some((x) => x > 0);
  return cameBack ? { observed, days, periods: days / periodDays } : null;
}

function validationErrors(
  { histories, purchases }: ObservedCustomers,
  family: ProcessFamily,
  periods: number,
): Float64Array {
  const process = (family === 'bg-nbd' ? fitBgNbd(histories) : fitParetoNbd(histories)).parameters;
  const model = { process, spend: null, periodDays: 1, annualDiscountRate: 0 };
  return absoluteErrors(purchases, forecastLifetime(model, histories, periods).expectedPurchases);
}
