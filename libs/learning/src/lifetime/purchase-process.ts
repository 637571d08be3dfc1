import type { Measured } from '@sextant/artefacts';
import type { LikelihoodGroups } from './likelihood-groups.js';
import { type MaximumLikelihood, measuredParameter } from './maximum-likelihood.js';

/** A fitted purchase process; times in the periods of the histories it was fitted on. */
export interface FittedProcess<P> {
  parameters: P;
  /** Each parameter with its interval. */
  measured: Record<string, Measured>;
  /** Standard error of each parameter; NaN where the data say nothing about it. */
  standardErrors: Record<string, number>;
  logLikelihood: number;
  customers: number;
}

/** Answers about one customer; no call allocates. Times in periods. */
export interface PurchaseProcess {
  /** Probability that the customer still buys, in [0, 1]. */
  probabilityAlive(frequency: number, recency: number, age: number): number;
  /**
   * Purchases expected within each horizon of a customer known to be alive; a customer's expectation is that times the
   * probability of being alive.
   *
   * @param horizons  periods from now, each ≥ 0
   * @param out       shape of `horizons`
   */
  purchasesWhenAlive(frequency: number, age: number, horizons: Float64Array, out: Float64Array): void;
}

/**
 * A maximum in scaled time as parameters in periods.
 *
 * @param timePower  of each parameter in the order of the point: 1 where it is a time, 0 where it has no unit
 */
export function unscaled<Name extends string>(
  { point, standardErrors, logLikelihood }: MaximumLikelihood,
  { customers, count, frequency, timeScale }: LikelihoodGroups,
  timePower: Record<Name, 0 | 1>,
): FittedProcess<Record<Name, number>> {
  const names = Object.keys(timePower) as Name[];
  const logScale = Math.log(timeScale);
  const logs = names.map((name, i) => (point[i] ?? 0) + timePower[name] * logScale);
  const record = <T>(value: (log: number, error: number) => T): Record<Name, T> =>
    Object.fromEntries(
      names.map((name, i) => [name, value(logs[i] ?? 0, standardErrors[i] ?? Number.NaN)]),
    ) as Record<Name, T>;
  let purchases = 0;
  for (let i = 0; i < count.length; i++) purchases += (count[i] ?? 0) * (frequency[i] ?? 0);
  return {
    parameters: record((log) => Math.exp(log)),
    measured: record(measuredParameter),
    standardErrors: record((log, error) => Math.exp(log) * error),
    // Densities of purchase times have the unit 1 / time each.
    logLikelihood: logLikelihood - purchases * logScale,
    customers,
  };
}
