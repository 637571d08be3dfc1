import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { digamma, logGamma } from './gamma-functions.js';
import { maximiseLikelihood, measuredParameter } from './maximum-likelihood.js';
import type { PurchaseHistories } from './purchase-history.js';

/** A purchase is Gamma(shape p, rate ν) with ν ~ Gamma(q, rate v); `v` is in the currency. The mean of all is p v / (q − 1). */
export interface GammaGammaParameters {
  p: number;
  q: number;
  v: number;
}

/**
 * What of a customer's purchases the model looks at: those after the first, as published, or all of them, where a first
 * purchase is one like any other.
 */
export type SpendBasis = 'repeats' | 'all';

export interface FittedSpend {
  basis: SpendBasis;
  parameters: GammaGammaParameters;
  measured: Record<string, Measured>;
  standardErrors: Record<string, number>;
  logLikelihood: number;
  /** Customers with a purchase of the basis and of positive mean value: the sample. */
  customers: number;
  /** Pearson correlation of frequency and mean value in the sample; the model takes them for independent. */
  correlation: number;
}

const MIN_CUSTOMERS = 2;
/** Logarithms of p, q − 1, v / mean. */
const STARTS = [
  [1.5, 1, -0.5],
  [0, 0, 0],
] as const;

/**
 * Gamma-gamma model of spend by maximum likelihood, on customers with at least one purchase of the basis and a positive mean value. q
 * is kept above 1, so that the mean exists.
 *
 * @throws DomainError DATA_INSUFFICIENT with fewer than two such customers
 *
 * Source: Fader and Hardie (2013), "The gamma-gamma model of monetary value", equation 1a.
 */
export function fitGammaGamma(
  { frequency, meanSpend, meanValue }: PurchaseHistories,
  basis: SpendBasis = 'repeats',
): FittedSpend {
  const means = basis === 'all' ? meanValue : meanSpend;
  const first = basis === 'all' ? 1 : 0;
  const rows = Array.from(frequency.keys()).filter(
    (i) => (frequency[i] ?? 0) + first > 0 && (means[i] ?? Number.NaN) > 0,
  );
  if (rows.length < MIN_CUSTOMERS) {
    throw new DomainError(
      'DATA_INSUFFICIENT',
      `spend needs at least ${MIN_CUSTOMERS} customers with a repeat purchase of positive value, got ${rows.length}`,
    );
  }
  const counts = Int32Array.from(rows, (i) => (frequency[i] ?? 0) + first);
  const values = Float64Array.from(rows, (i) => means[i] ?? 0);
  const scale = values.reduce((sum, value) => sum + value, 0) / values.length;
  const logScale = Math.log(scale);
  const sample = { counts, means: values.map((value) => value / scale) };
  const found = maximiseLikelihood({
    negativeLogLikelihood: (point, gradient) => negativeLogLikelihood(sample, point, gradient),
    size: rows.length,
    starts: STARTS,
  });
  return {
    basis,
    ...described(found, logScale),
    customers: rows.length,
    correlation: correlation(counts, values),
  };
}

/** Expected value of a purchase of a customer with so many purchases of this mean; NaN as mean or a count of 0: of anybody. */
export function expectedSpend({ p, q, v }: GammaGammaParameters, count: number, mean: number): number {
  const known = count > 0 && mean > 0;
  return known ? (p * (v + count * mean)) / (p * count + q - 1) : (p * v) / (q - 1);
}

function described(
  found: ReturnType<typeof maximiseLikelihood>,
  logScale: number,
): Omit<FittedSpend, 'basis' | 'customers' | 'correlation'> {
  const [logP = 0, logExcess = 0, logV = 0] = found.point;
  const [errorP = Number.NaN, errorExcess = Number.NaN, errorV = Number.NaN] = found.standardErrors;
  const excess = measuredParameter(logExcess, errorExcess);
  const parameters = { p: Math.exp(logP), q: 1 + excess.value, v: Math.exp(logV + logScale) };
  return {
    parameters,
    measured: {
      p: measuredParameter(logP, errorP),
      q: { ...excess, value: 1 + excess.value, low: 1 + excess.low, high: 1 + excess.high },
      v: measuredParameter(logV + logScale, errorV),
    },
    standardErrors: {
      p: parameters.p * errorP,
      q: excess.value * errorExcess,
      v: parameters.v * errorV,
    },
    logLikelihood: found.logLikelihood,
  };
}

/** Sum over customers; `point` holds ln p, ln(q − 1), ln v and the gradient is by those. Means are scaled to average 1. */
function negativeLogLikelihood(
  { counts, means }: { counts: Int32Array; means: Float64Array },
  point: Float64Array,
  gradient: Float64Array,
): number {
  const [p = 0, excess = 0, v = 0] = Array.from(point, Math.exp);
  const q = 1 + excess;
  const shapes = shapeTerms(p, q);
  const [logV, digammaQ] = [Math.log(v), digamma(q)];
  let [sum, byP, byQ, byV] = [0, 0, 0, 0];
  for (let i = 0; i < counts.length; i++) {
    const x = counts[i] as number;
    const mean = means[i] as number;
    const shape = shapes(x);
    const logTotal = Math.log(x * mean + v);
    const logMean = Math.log(mean);
    sum += shape.log + q * logV + (p * x - 1) * logMean + p * x * shape.logX - (p * x + q) * logTotal;
    byP += x * (shape.slope + logMean + shape.logX - logTotal);
    byQ += shape.digamma - digammaQ + logV - logTotal;
    byV += q / v - (p * x + q) / (x * mean + v);
  }
  gradient.set([-p * byP, -excess * byQ, -v * byV]);
  return -sum;
}

interface ShapeTerm {
  log: number;
  digamma: number;
  slope: number;
  logX: number;
}

/** Gamma functions by frequency, each computed once. */
function shapeTerms(p: number, q: number): (x: number) => ShapeTerm {
  const known: (ShapeTerm | undefined)[] = [];
  const logQ = logGamma(q);
  return (x) => {
    const found = known[x];
    if (found !== undefined) return found;
    const both = digamma(p * x + q);
    const term = {
      log: logGamma(p * x + q) - logGamma(p * x) - logQ,
      digamma: both,
      slope: both - digamma(p * x),
      logX: Math.log(x),
    };
    known[x] = term;
    return term;
  };
}

function correlation(counts: Int32Array, values: Float64Array): number {
  const n = counts.length;
  const meanCount = counts.reduce((sum, x) => sum + x, 0) / n;
  const meanValue = values.reduce((sum, x) => sum + x, 0) / n;
  let [both, ofCounts, ofValues] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [dx, dv] = [(counts[i] ?? 0) - meanCount, (values[i] ?? 0) - meanValue];
    both += dx * dv;
    ofCounts += dx * dx;
    ofValues += dv * dv;
  }
  return ofCounts > 0 && ofValues > 0 ? both / Math.sqrt(ofCounts * ofValues) : 0;
}
