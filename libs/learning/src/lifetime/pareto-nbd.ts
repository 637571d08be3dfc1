import { logOnePlusExp, risingTable } from './gamma-functions.js';
import { powerAndSlope } from './geometric-purchases.js';
import { type LikelihoodGroups, likelihoodGroups } from './likelihood-groups.js';
import { maximiseLikelihood } from './maximum-likelihood.js';
import type { PurchaseHistories } from './purchase-history.js';
import { type FittedProcess, type PurchaseProcess, unscaled } from './purchase-process.js';
import { gaussLegendre } from './quadrature.js';

/**
 * Purchases come at a rate λ ~ Gamma(r, rate alpha) while the customer lives; a life is exponential with rate
 * μ ~ Gamma(s, rate beta). `alpha` and `beta` are in periods.
 */
export interface ParetoNbdParameters {
  family: 'pareto-nbd';
  r: number;
  alpha: number;
  s: number;
  beta: number;
}

/** Logarithms of r, alpha / mean age, s, beta / mean age. */
const STARTS = [
  [-0.6, -1, -0.5, -1],
  [0, 0, -0.5, 1],
  [1, 0.5, -1, 0],
] as const;

/** Where the integrand has fallen by e^-40 nothing is left to add. */
export const NEGLIGIBLE_EXPONENT = 40;
export const ALIVE_NODES = 32;
const RULE = gaussLegendre(ALIVE_NODES);

/**
 * Pareto/NBD by maximum likelihood. What the customer's silence says is one integral over the time of leaving,
 * s ∫ ((α+T)/(α+u))^(r+x) ((β+T)/(β+u))^s du/(β+u) from the last purchase to now, by Gauss–Legendre in ln(β+u): no difference of
 * hypergeometric functions, so nothing cancels.
 *
 * @throws DomainError DATA_INSUFFICIENT without a customer older than 0
 * @throws RangeError when a statistic is impossible
 *
 * Source: Schmittlein, Morrison and Colombo (1987), "Counting your customers", Management Science 33(1); likelihood as in Fader and
 * Hardie (2005), "A note on deriving the Pareto/NBD model and related expressions", equation 17 before integration.
 */
export function fitParetoNbd(histories: PurchaseHistories): FittedProcess<ParetoNbdParameters> {
  const groups = likelihoodGroups(histories);
  const found = maximiseLikelihood({
    negativeLogLikelihood: (point, gradient) => paretoNbdLoss(groups, point, gradient),
    size: groups.customers,
    starts: STARTS,
  });
  const fitted = unscaled(found, groups, { r: 0, alpha: 1, s: 0, beta: 1 });
  return { ...fitted, parameters: { family: 'pareto-nbd', ...fitted.parameters } };
}

export function paretoNbdProcess(parameters: ParetoNbdParameters): PurchaseProcess {
  const { r, alpha, s, beta } = parameters;
  const left = new LeftIntegral(parameters);
  return {
    probabilityAlive(x, recency, age) {
      left.evaluate(x, recency, age);
      return 1 / (1 + Math.exp(left.logOdds));
    },
    purchasesWhenAlive(x, age, horizons, out) {
      const rate = ((r + x) * (beta + age)) / (alpha + age);
      for (let h = 0; h < horizons.length; h++) {
        const logQ = -Math.log1p((horizons[h] as number) / (beta + age));
        out[h] = rate * powerAndSlope(s - 1, logQ)[1];
      }
    },
  };
}

/** Odds of having left, with the means over the time of leaving that its gradient needs. */
class LeftIntegral {
  logOdds = 0;
  meanLogAlpha = 0;
  meanInverseAlpha = 0;
  meanLogBeta = 0;
  meanInverseBeta = 0;

  constructor(private readonly parameters: Omit<ParetoNbdParameters, 'family'>) {}

  evaluate(x: number, recency: number, age: number): void {
    const { r, alpha, s, beta } = this.parameters;
    const [now, last] = [alpha + age, alpha + recency];
    const until = Math.min(age, last * Math.exp(NEGLIGIBLE_EXPONENT / (r + x)) - alpha);
    const logLast = Math.log(beta + recency);
    const width = Math.log(beta + until) - logLast;
    const logNowBeta = Math.log(beta + age);
    const logNow = Math.log(now);
    const peak = (r + x) * (logNow - Math.log(last)) + s * (logNowBeta - logLast);
    let [sum, logA, inverseA, logB, inverseB] = [0, 0, 0, 0, 0];
    for (let k = 0; k < ALIVE_NODES; k++) {
      const logAt = logLast + width * (RULE.nodes[k] as number);
      const atBeta = Math.exp(logAt);
      const atAlpha = atBeta - beta + alpha;
      const idle = logNow - Math.log(atAlpha);
      const density =
        (RULE.weights[k] as number) * Math.exp((r + x) * idle + s * (logNowBeta - logAt) - peak);
      sum += density;
      logA += density * idle;
      inverseA += density / atAlpha;
      logB += density * (logNowBeta - logAt);
      inverseB += density / atBeta;
    }
    this.logOdds = width > 0 ? Math.log(s * width * sum) + peak : -Infinity;
    this.meanLogAlpha = logA / sum;
    this.meanInverseAlpha = inverseA / sum;
    this.meanLogBeta = logB / sum;
    this.meanInverseBeta = inverseB / sum;
  }
}

/** Sum over customers in scaled time; `point` holds ln r, ln α, ln s, ln β and the gradient is by those. */
export function paretoNbdLoss(groups: LikelihoodGroups, point: Float64Array, gradient: Float64Array): number {
  const [r = 0, alpha = 0, s = 0, beta = 0] = Array.from(point, Math.exp);
  const left = new LeftIntegral({ r, alpha, s, beta });
  const rising = risingTable(r, groups.maxFrequency);
  const [logAlpha, logBeta] = [Math.log(alpha), Math.log(beta)];
  let [sum, byR, byAlpha, byS, byBeta] = [0, 0, 0, 0, 0];
  for (let i = 0; i < groups.count.length; i++) {
    const count = groups.count[i] as number;
    const x = groups.frequency[i] as number;
    const age = groups.age[i] as number;
    left.evaluate(x, groups.recency[i] as number, age);
    const [now, nowBeta] = [alpha + age, beta + age];
    const gone = 1 / (1 + Math.exp(-left.logOdds));
    const logSurvival = logBeta - Math.log(nowBeta);
    const logNow = Math.log(now);
    sum +=
      count *
      ((rising.logs[x] as number) +
        r * logAlpha -
        (r + x) * logNow +
        s * logSurvival +
        logOnePlusExp(left.logOdds));
    byR += count * ((rising.slopes[x] as number) + logAlpha - logNow + gone * left.meanLogAlpha);
    byAlpha += count * (r / alpha - (r + x) / now + gone * (r + x) * (1 / now - left.meanInverseAlpha));
    byS += count * (logSurvival + gone * (1 / s + left.meanLogBeta));
    const bySilence = s / nowBeta - (s + 1) * left.meanInverseBeta;
    byBeta += count * (s / beta - s / nowBeta + gone * bySilence);
  }
  gradient.set([-r * byR, -alpha * byAlpha, -s * byS, -beta * byBeta]);
  return -sum;
}
