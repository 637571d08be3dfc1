import { DomainError } from '@sextant/domain';
import {
  fitBgNbd,
  type FittedProcess,
  type FittedSpend,
  fitGammaGamma,
  fitParetoNbd,
  type LifetimeModel,
  type ProcessFamily,
  type ProcessParameters,
  type PurchaseDay,
} from '@sextant/learning/lifetime';
import { type ChoiceOptions, chooseProcess, type ProcessChoice } from './choose-process.js';
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
  const spend = fitSpend(observed);
  return {
    model: {
      process: process.parameters,
      spend: spend?.parameters ?? null,
      periodDays,
      annualDiscountRate,
    },
    process,
    spend,
    observed,
    warnings: lifetimeWarnings({ observed, spend, customers, options }),
  };
}

function fitSpend({ histories }: ObservedCustomers): FittedSpend | null {
  try {
    return fitGammaGamma(histories);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'DATA_INSUFFICIENT') return null;
    throw error;
  }
}
