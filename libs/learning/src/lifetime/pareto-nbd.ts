import { logOnePlusExp, risingTable } from './gamma-functions.js';
import { powerAndSlope } from './geometric-purchases.js';
import { type LikelihoodGroups, likelihoodGroups } from './likelihood-groups.js';
import { maximiseLikelihood } from './maximum-likelihood.js';
import type { PurchaseHistories } from './purchase-history.js';
import { type FittedProcess, type PurchaseProcess, unscaled } from './purchase-process.js';
import { gaussLegendre, type Quadrature } from './quadrature.js';

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
const RULES = { coarse: gaussLegendre(8), middle: gaussLegendre(16), fine: gaussLegendre(ALIVE_NODES) };
/**
 * Up to here 8 and 16 nodes are exact to 1e-12: the error for e^(−fall ξ) is about (fall / 4)^(2n) / (2n)!, and the singularity of
 * the growth lies at imaginary part π, which bounds the width.
 */
const COARSE = { fall: 4, width: 2.2 } as const;
const MIDDLE = { fall: 18, width: 6 } as const;

/**
 * Pareto/NBD by maximum likelihood. What the customer's silence says is one integral over the time of leaving,
 * s ∫ ((α+T)/(α+u))^(r+x) ((β+T)/(β+u))^s du/(β+u) from the last purchase to now, by Gauss–Legendre: no difference of hypergeometric
 * functions, so nothing cancels.
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
      left.evaluateOdds(x, recency, age);
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

/**
 * Odds of having left, s ∫ ((α+T)/(α+u))^(r+x) ((β+T)/(β+u))^s du/(β+u) from the last purchase on, with the means over the time of
 * leaving that its gradient needs. The variable is w = ln((γ+u)/(γ+tx)) with γ the smaller of α and β, the base: then the other's
 * logarithm is singular at imaginary part π only, however different the two are.
 */
class LeftIntegral {
  logOdds = 0;
  meanLogAlpha = 0;
  meanInverseAlpha = 0;
  meanLogBeta = 0;
  meanInverseBeta = 0;
  private readonly isAlphaBase: boolean;
  private rule = RULES.fine;
  private width = 0;
  /** γ + tx, and the same of the other */
  private base = 0;
  private other = 0;
  /** powers of e^w and of the other's growth in the integrand */
  private basePower = 0;
  private otherPower = 0;
  /** ln of what multiplies the integral */
  private logFactor = 0;

  constructor(private readonly parameters: Omit<ParetoNbdParameters, 'family'>) {
    this.isAlphaBase = parameters.alpha < parameters.beta;
  }

  /** Sets `logOdds` alone. */
  evaluateOdds(x: number, recency: number, age: number): void {
    this.enclose(x, recency, age);
    const { width, base, other, basePower, otherPower } = this;
    const { nodes, weights } = this.rule;
    let sum = 0;
    for (let k = 0; k < nodes.length; k++) {
      const step = width * (nodes[k] as number);
      const growth = 1 + (base * Math.expm1(step)) / other;
      sum += (weights[k] as number) * Math.exp(-otherPower * Math.log(growth) - basePower * step);
    }
    this.setOdds(sum);
  }

  /** Sets everything. */
  evaluate(x: number, recency: number, age: number): void {
    this.enclose(x, recency, age);
    const { width, base, other, basePower, otherPower } = this;
    const { nodes, weights } = this.rule;
    let [sum, logBase, inverseBase, logOther, inverseOther] = [0, 0, 0, 0, 0];
    for (let k = 0; k < nodes.length; k++) {
      const step = width * (nodes[k] as number);
      const more = Math.expm1(step);
      const growth = 1 + (base * more) / other;
      const logGrowth = Math.log(growth);
      const density = (weights[k] as number) * Math.exp(-otherPower * logGrowth - basePower * step);
      sum += density;
      logBase += density * step;
      inverseBase += density / (base * (1 + more));
      logOther += density * logGrowth;
      inverseOther += density / (other * growth);
    }
    this.setOdds(sum);
    const means = [
      { log: logBase / sum, inverse: inverseBase / sum },
      { log: logOther / sum, inverse: inverseOther / sum },
    ] as const;
    const [ofAlpha, ofBeta] = this.isAlphaBase ? means : [means[1], means[0]];
    const { alpha, beta } = this.parameters;
    this.meanLogAlpha = Math.log((alpha + age) / (alpha + recency)) - ofAlpha.log;
    this.meanInverseAlpha = ofAlpha.inverse;
    this.meanLogBeta = Math.log((beta + age) / (beta + recency)) - ofBeta.log;
    this.meanInverseBeta = ofBeta.inverse;
  }

  /** The range outside which nothing is left to add, and nodes enough for it. */
  private enclose(x: number, recency: number, age: number): void {
    const { r, alpha, s, beta } = this.parameters;
    const { isAlphaBase } = this;
    const [last, lastBeta] = [alpha + recency, beta + recency];
    const until = Math.min(age, last * Math.exp(NEGLIGIBLE_EXPONENT / (r + x)) - alpha);
    this.base = isAlphaBase ? last : lastBeta;
    this.other = isAlphaBase ? lastBeta : last;
    // du / (β + u) is dw times (α + u) / (β + u) where α is the base.
    this.basePower = isAlphaBase ? r + x - 1 : s;
    this.otherPower = isAlphaBase ? s + 1 : r + x;
    this.width = Math.log1p((until - recency) / this.base);
    const fall =
      Math.abs(this.basePower) * this.width + this.otherPower * Math.log1p((until - recency) / this.other);
    this.rule = ruleFor(fall, this.width);
    this.logFactor =
      (r + x) * Math.log((alpha + age) / last) +
      s * Math.log((beta + age) / lastBeta) +
      (isAlphaBase ? Math.log((s * last) / lastBeta) : Math.log(s));
  }

  private setOdds(sum: number): void {
    this.logOdds = this.width > 0 ? Math.log(this.width * sum) + this.logFactor : -Infinity;
  }
}

function ruleFor(fall: number, width: number): Quadrature {
  if (fall <= COARSE.fall && width <= COARSE.width) return RULES.coarse;
  return fall <= MIDDLE.fall && width <= MIDDLE.width ? RULES.middle : RULES.fine;
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
