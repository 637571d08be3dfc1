import type { Measured } from '@sextant/artefacts';
import { bootstrap, type BootstrapOptions } from '../metrics/bootstrap.js';
import { logLoss } from '../metrics/probability.js';
import { applyPlatt, fitPlatt } from './platt.js';
import { logit } from '../score/logistic.js';

export interface Probabilities {
  /** 0 or 1, shape [n] */
  labels: ArrayLike<number>;
  /** In [0, 1], shape [n]. */
  probabilities: ArrayLike<number>;
}

const ECE_BINS = 10;

/**
 * Expected calibration error over ten bins of equally many rows: the mean distance of a bin's mean probability and its positive rate,
 * by the bin's rows. Its interval holds the value: resampling adds noise to the bins, so that the percentiles alone may lie above it.
 *
 * Source: Naeini, Cooper and Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning", AAAI.
 */
export function measuredCalibrationError(input: Probabilities, options: BootstrapOptions): Measured {
  const { labels, probabilities } = input;
  const n = labels.length;
  const order = Uint32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (probabilities[a] ?? 0) - (probabilities[b] ?? 0) || a - b,
  );
  const statistic = (weights: Float64Array): number => {
    const excess = new Float64Array(ECE_BINS);
    let total = 0;
    for (const [rank, row] of order.entries()) {
      const bin = Math.floor((rank * ECE_BINS) / n);
      const weight = weights[row] ?? 0;
      excess[bin] = (excess[bin] ?? 0) + weight * ((probabilities[row] ?? 0) - (labels[row] ?? 0));
      total += weight;
    }
    return excess.reduce((sum, distance) => sum + Math.abs(distance), 0) / total;
  };
  const { value, low, high, level } = bootstrap(n, statistic, options);
  return { value, low: Math.min(low, value), high: Math.max(high, value), level };
}

/**
 * Spiegelhalter's test of calibration: the Brier score against what it would be if every probability were right.
 *
 * @returns  standard normal where the probabilities are right; positive: outcomes are further from them than they should be. 0 where
 *           no row says anything (every probability 0, ½ or 1)
 *
 * Source: Spiegelhalter (1986), "Probabilistic prediction in patient management and clinical trials", Statistics in Medicine 5.
 */
export function spiegelhalterZ({ labels, probabilities }: Probabilities): number {
  let [excess, variance] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    const p = probabilities[i] ?? 0;
    excess += ((labels[i] ?? 0) - p) * (1 - 2 * p);
    variance += (1 - 2 * p) ** 2 * p * (1 - p);
  }
  return variance === 0 ? 0 : excess / Math.sqrt(variance);
}

export interface CalibrationCheck {
  z: number;
  /** Of outcomes on log-odds, 1 where right; below 1 the probabilities are too extreme. */
  slope: number;
  /** Mean probability less the positive rate. */
  bias: number;
  /** What is wrong, by name; null where nothing is beyond noise, or nothing that matters. */
  warning: string | null;
}

/** |z| of 3.29 comes once in a thousand well-calibrated models. */
const BEYOND_NOISE = 3.29;
/** Half of χ² with two degrees of freedom at one in a thousand. */
const LIKELIHOOD_GAIN = 6.91;
/** A distance that no decision would feel is not worth a warning, however many rows prove it. */
const MATTERS = 0.01;

/**
 * Whether probabilities say what happens: Spiegelhalter's z, and the likelihood gained by a straight line on their log-odds (Cox's
 * recalibration), each at one in a thousand; a miscalibration that matters (mean distance ≥ 0.01) is a warning that begins
 * with "miscalibrated".
 *
 * Source: Cox (1958), "Two further applications of a model for binary regression", Biometrika 45.
 */
export function checkCalibration(input: Probabilities, meanDistance: number): CalibrationCheck {
  const { labels } = input;
  const n = labels.length;
  const clipped = Float64Array.from(input.probabilities, (p) => Math.min(1 - 1e-9, Math.max(1e-9, p)));
  const line = fitPlatt(clipped.map(logit), labels);
  const better = clipped.map((p) => applyPlatt(line, logit(p)));
  const gain = n * (logLoss(labels, clipped) - logLoss(labels, better));
  const z = spiegelhalterZ({ labels, probabilities: clipped });
  const rate = Array.from(labels).reduce((sum, label) => sum + label, 0) / n;
  const bias = clipped.reduce((sum, p) => sum + p, 0) / n - rate;
  const isOff = (Math.abs(z) > BEYOND_NOISE || gain > LIKELIHOOD_GAIN) && meanDistance >= MATTERS;
  const warning = isOff
    ? `miscalibrated: mean probability ${(rate + bias).toFixed(3)} against a rate of ${rate.toFixed(3)}, mean distance ${meanDistance.toFixed(3)}, slope ${line.a.toFixed(2)} (Spiegelhalter z ${z.toFixed(1)})`
    : null;
  return { z, slope: line.a, bias, warning };
}
