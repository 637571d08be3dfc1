import type { Measured } from '@sextant/artefacts';
import { type BootstrapOptions, measuredMean } from '../metrics/bootstrap.js';
import { inversePropensityScores } from './calibrate-uplift.js';
import type { UpliftRows } from './uplift-rows.js';

/**
 * How a customer takes an action: it is what makes them act (persuadable), they act anyway (sure thing), they do not act either way
 * (lost cause), or it keeps them from acting (sleeping dog). Source: Radcliffe and Surry (1999), "Differential response analysis".
 */
export type Persuadability = 'PERSUADABLE' | 'SURE_THING' | 'LOST_CAUSE' | 'SLEEPING_DOG';

export interface Quadrant {
  segment: Persuadability;
  /** Whether the interval of the effect leaves out 0. */
  isProven: boolean;
}

/**
 * The quadrant by the sign of the effect where its interval leaves out 0; otherwise nobody can tell that the action changes
 * anything, and the probability without it decides.
 *
 * @param without   probability of the outcome without the action
 * @param uplift    interval of the effect
 * @param sureFrom  probability without the action from which a customer counts as one who acts anyway, e.g. the mean of the control group
 */
export function quadrantOf(
  without: number,
  uplift: { low: number; high: number },
  sureFrom: number,
): Quadrant {
  if (uplift.low > 0) return { segment: 'PERSUADABLE', isProven: true };
  if (uplift.high < 0) return { segment: 'SLEEPING_DOG', isProven: true };
  return { segment: without >= sureFrom ? 'SURE_THING' : 'LOST_CAUSE', isProven: false };
}

export interface TargetingValue {
  /** Of the customers, in [0, 1]: those whose predicted effect is worth more than it costs. */
  share: number;
  /** Net value a customer (of all, treated or not) of treating that share, measured by inverse propensity. */
  targeted: Measured;
  /** The same of treating everybody; nobody is 0. */
  everybody: Measured;
}

/**
 * What it is worth to treat exactly those with value · effect > cost.
 *
 * @param effects  cross-fitted, shape [n]: then the measured value is unbiased for the policy
 * @param cost     of one action, and `value` of one outcome, both ≥ 0 in one currency
 * @throws RangeError when cost or value is negative or not finite
 *
 * Source: Hitsch and Misra (2018), "Heterogeneous treatment effects and optimal targeting policy evaluation", SSRN 3111957.
 */
export function targetingValue(
  data: UpliftRows,
  { effects, cost, value }: { effects: ArrayLike<number>; cost: number; value: number },
  options: BootstrapOptions,
): TargetingValue {
  for (const [name, amount] of Object.entries({ cost, value }))
    if (!(Number.isFinite(amount) && amount >= 0))
      throw new RangeError(`${name} must be finite and ≥ 0, got ${amount}`);
  const net = inversePropensityScores(data).map((score) => value * score - cost);
  const isTreated = (i: number): boolean => value * (effects[i] ?? 0) > cost;
  const chosen = net.map((amount, i) => (isTreated(i) ? amount : 0));
  let treated = 0;
  for (let i = 0; i < net.length; i++) treated += Number(isTreated(i));
  return {
    share: treated / net.length,
    targeted: measuredMean(chosen, options),
    everybody: measuredMean(net, options),
  };
}
