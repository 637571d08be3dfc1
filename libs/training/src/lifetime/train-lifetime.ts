import { DomainError } from '@sextant/domain';
import { mae } from '@sextant/learning';
import {
  fitBgNbd,
  type FittedProcess,
  type FittedSpend,
  fitGammaGamma,
  fitParetoNbd,
  forecastLifetime,
  type LifetimeModel,
  type ProcessFamily,
  type ProcessParameters,
  type PurchaseDay,
  type SpendBasis,
} from '@sextant/learning/lifetime';
import { type ChoiceOptions, chooseProcess, innerSplit, type ProcessChoice } from './choose-process.js';
import { lifetimeWarnings } from './lifetime-warnings.js';
import { observeCustomers, type ObservedCustomers } from './observed-customers.js';

export interface LifetimeTraining extends ChoiceOptions {
  /** E.g. 0.1: a purchase in a year is worth 1 / 1.1 of one today. */
  annualDiscountRate: number;
}

/** A purchase process and a spend model fitted on all that is known. */
export interface FittedLifetime {
  model: LifetimeModel;
  process: FittedProcess<ProcessParameters>;
  /** Null where orders have no value, or fewer than two customers came back with one. */
  spend: FittedSpend | null;
  observed: ObservedCustomers;
  warnings: string[];
}

export interface TrainedLifetime extends FittedLifetime {
  choice: ProcessChoice;
}

/**
 * Purchases and spend of known customers: the process is chosen on the last part of the known time, then fitted on all of it.
 *
 * @param customers  purchase days of each, in any order; days after `until` are not looked at
 * @throws DomainError DATA_INSUFFICIENT when no first purchase lies before `until`
 */
export function trainLifetime(
  customers: readonly (readonly PurchaseDay[])[],
  options: LifetimeTraining,
): TrainedLifetime {
  const choice = chooseProcess(customers, options);
  return { choice, ...fitLifetime(customers, { ...options, family: choice.family }) };
}

/** The models of a process that is chosen already. @throws DomainError DATA_INSUFFICIENT as {@link trainLifetime} */
export function fitLifetime(
  customers: readonly (readonly PurchaseDay[])[],
  options: LifetimeTraining & { family: ProcessFamily },
): FittedLifetime {
  const { until, periodDays, annualDiscountRate, family } = options;
  const observed = observeCustomers(customers, { until, periodDays });
  if (!observed.histories.age.some((age) => age > 0)) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      'no customer has a purchase before the end of calibration: choose a later end or give more history',
    );
  }
  const process: FittedProcess<ProcessParameters> =
    family === 'bg-nbd' ? fitBgNbd(observed.histories) : fitParetoNbd(observed.histories);
  const spend = fitSpend(observed, chooseSpendBasis(customers, options));
  return {
    model: {
      process: process.parameters,
      spend: spend?.parameters ?? null,
      spendBasis: spend?.basis ?? 'repeats',
      periodDays,
      annualDiscountRate,
    },
    process,
    spend,
    observed,
    warnings: lifetimeWarnings({ observed, spend, customers, options }),
  };
}

/** The basis whose spend of the validation days was nearer, with the process that was chosen; `repeats` where there are none. */
function chooseSpendBasis(
  customers: readonly (readonly PurchaseDay[])[],
  options: LifetimeTraining & { family: ProcessFamily },
): SpendBasis {
  const split = innerSplit(customers, options);
  if (split === null) return 'repeats';
  const { histories, spend } = split.observed;
  const process = (options.family === 'bg-nbd' ? fitBgNbd(histories) : fitParetoNbd(histories)).parameters;
  const errorOf = (basis: SpendBasis): number => {
    const fitted = fitSpend(split.observed, basis);
    if (fitted === null) return Infinity;
    const model = {
      process,
      spend: fitted.parameters,
      spendBasis: basis,
      periodDays: 1,
      annualDiscountRate: 0,
    };
    return mae(spend, forecastLifetime(model, histories, split.periods).value);
  };
  return errorOf('all') < errorOf('repeats') ? 'all' : 'repeats';
}

/** Null where too few customers have purchases of a value. */
export function fitSpend({ histories }: ObservedCustomers, basis: SpendBasis): FittedSpend | null {
  try {
    return fitGammaGamma(histories, basis);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'DATA_INSUFFICIENT') return null;
    throw error;
  }
}
