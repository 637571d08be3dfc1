import { logOnePlusExp, risingTable } from './gamma-functions.js';
import { geometricPurchases } from './geometric-purchases.js';
import { type LikelihoodGroups, likelihoodGroups } from './likelihood-groups.js';
import { maximiseLikelihood } from './maximum-likelihood.js';
import type { PurchaseHistories } from './purchase-history.js';
import { type FittedProcess, type PurchaseProcess, unscaled } from './purchase-process.js';

/**
 * Purchases come at a rate λ ~ Gamma(r, rate alpha); after each the customer leaves with probability p ~ Beta(a, b).
 * `alpha` is in periods.
 */
export interface BgNbdParameters {
  family: 'bg-nbd';
  r: number;
  alpha: number;
  a: number;
  b: number;
}

/** Logarithms of r, alpha / mean age, a, b. */
const STARTS = [
  [-1, -1, 0, 0.7],
  [0, 0, -1.5, 0.7],
  [1, 1, -2, 1.5],
] as const;

/**
 * Beta-geometric/NBD by maximum likelihood.
 *
 * @throws DomainError DATA_INSUFFICIENT without a customer older than 0
 * @throws RangeError when a statistic is impossible
 *
 * Source: Fader, Hardie and Lee (2005), "“Counting your customers” the easy way: an alternative to the Pareto/NBD model",
 * Marketing Science 24(2), equation 6.
 */
export function fitBgNbd(histories: PurchaseHistories): FittedProcess<BgNbdParameters> {
  const groups = likelihoodGroups(histories);
  const found = maximiseLikelihood({
    negativeLogLikelihood: (point, gradient) => bgNbdLoss(groups, point, gradient),
    size: groups.customers,
    starts: STARTS,
  });
  const fitted = unscaled(found, groups, { r: 0, alpha: 1, a: 0, b: 0 });
  return { ...fitted, parameters: { family: 'bg-nbd', ...fitted.parameters } };
}

/** Answers of the model with these parameters; calls about customers of equal frequency share their series. */
export function bgNbdProcess(parameters: BgNbdParameters): PurchaseProcess {
  const { r, alpha, a, b } = parameters;
  return {
    probabilityAlive(x, recency, age) {
      if (x === 0) return 1;
      return 1 / (1 + (a / (b + x - 1)) * Math.exp((r + x) * Math.log((alpha + age) / (alpha + recency))));
    },
    purchasesWhenAlive: geometricPurchases(parameters),
  };
}

/** Sum over customers in scaled time; `point` holds ln r, ln α, ln a, ln b and the gradient is by those. */
export function bgNbdLoss(groups: LikelihoodGroups, point: Float64Array, gradient: Float64Array): number {
  const [r = 0, alpha = 0, a = 0, b = 0] = Array.from(point, Math.exp);
  const rising = {
    r: risingTable(r, groups.maxFrequency),
    b: risingTable(b, groups.maxFrequency),
    ab: risingTable(a + b, groups.maxFrequency),
  };
  const logAlpha = Math.log(alpha);
  let [sum, byR, byAlpha, byA, byB] = [0, 0, 0, 0, 0];
  for (let i = 0; i < groups.count.length; i++) {
    const count = groups.count[i] as number;
    const x = groups.frequency[i] as number;
    const now = alpha + (groups.age[i] as number);
    const last = alpha + (groups.recency[i] as number);
    const logNow = Math.log(now);
    const idle = x === 0 ? 0 : logNow - Math.log(last);
    const logOdds = x === 0 ? -Infinity : Math.log(a / (b + x - 1)) + (r + x) * idle;
    const dead = 1 / (1 + Math.exp(-logOdds));
    const alive = (rising.r.logs[x] as number) + r * logAlpha - (r + x) * logNow;
    const stayed = (rising.b.logs[x] as number) - (rising.ab.logs[x] as number);
    sum += count * (alive + stayed + logOnePlusExp(logOdds));
    byR += count * ((rising.r.slopes[x] as number) + logAlpha - logNow + dead * idle);
    byAlpha += count * (r / alpha - (r + x) / now + dead * (r + x) * (1 / now - 1 / last));
    const left = rising.ab.slopes[x] as number;
    byA += count * (dead / a - left);
    byB += count * ((rising.b.slopes[x] as number) - left - (x === 0 ? 0 : dead / (b + x - 1)));
  }
  gradient.set([-r * byR, -alpha * byAlpha, -a * byA, -b * byB]);
  return -sum;
}
