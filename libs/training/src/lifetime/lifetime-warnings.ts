import { quantile } from '@sextant/learning';
import type { FittedSpend, PurchaseDay } from '@sextant/learning/lifetime';
import type { ChoiceOptions } from './choose-process.js';
import { firstDayOf, type ObservedCustomers } from './observed-customers.js';

/** Gamma-gamma takes frequency and value for independent; from here on its means are visibly off. */
const MAX_CORRELATION = 0.2;
/** Standard errors of a correlation under independence are 1 / √n. */
const SIGNIFICANT = 3.3;
const FEW_REPEATERS = 30;
/** A horizon longer than this many times the known time is named. */
const MAX_EXTRAPOLATION = 1.5;

interface Trained {
  observed: ObservedCustomers;
  spend: FittedSpend | null;
  customers: readonly (readonly PurchaseDay[])[];
  options: ChoiceOptions;
}

/** What makes the forecast less worth than its figures look, each with its own figure. */
export function lifetimeWarnings({ observed, spend, customers, options }: Trained): string[] {
  const { frequency } = observed.histories;
  const repeaters = frequency.reduce((count, x) => count + Number(x > 0), 0);
  const warnings: string[] = [];
  if (repeaters === 0)
    warnings.push(
      'nobody bought a second time: the purchase rate is bounded by the prior only, so take the forecast as "close to none"',
    );
  else if (repeaters < FEW_REPEATERS)
    warnings.push(
      `only ${repeaters} of ${frequency.length} customers bought a second time: parameters are rough`,
    );
  const known = options.until - firstDayOf(customers);
  if (known * MAX_EXTRAPOLATION < options.horizonDays)
    warnings.push(
      `the forecast looks ${round(options.horizonDays)} days ahead on ${known} days of history: it extrapolates`,
    );
  const gap = typicalGap(observed) * options.periodDays;
  if (known < 2 * gap)
    warnings.push(
      `the period is too short: customers come back after ${round(gap)} days, and ${known} days are known`,
    );
  warnings.push(...spendWarnings(spend, repeaters));
  return warnings;
}

function spendWarnings(spend: FittedSpend | null, repeaters: number): string[] {
  if (spend === null) return repeaters > 1 ? ['orders have no positive value: there is no spend model'] : [];
  const warnings: string[] = [];
  const { correlation, customers, parameters } = spend;
  if (Math.abs(correlation) >= MAX_CORRELATION && Math.abs(correlation) * Math.sqrt(customers) > SIGNIFICANT)
    warnings.push(
      `spend is correlated with frequency (${correlation.toFixed(2)}): gamma-gamma takes them for independent, so the value of frequent customers is ${correlation > 0 ? 'under' : 'over'}estimated`,
    );
  if (parameters.q < 1.2)
    warnings.push(
      `spend has a heavy tail (q ${parameters.q.toFixed(2)}): the mean rests on few large orders`,
    );
  return warnings;
}

/** Median over repeat customers of the mean time between two purchases, in periods; 0 without one. */
function typicalGap({ histories: { frequency, recency } }: ObservedCustomers): number {
  const gaps: number[] = [];
  for (let i = 0; i < frequency.length; i++) {
    const x = frequency[i] ?? 0;
    if (x > 0) gaps.push((recency[i] ?? 0) / x);
  }
  return (
    quantile(
      gaps.sort((a, b) => a - b),
      0.5,
    ) ?? 0
  );
}

function round(days: number): number {
  return Math.round(days * 10) / 10;
}
