import { normalTail } from '../calibration/normal-quantile.js';

/** Below this probability an experiment's split or balance is not by chance. */
export const SUSPICIOUS_P = 0.01;

/**
 * Whether as many customers are in each arm as were meant to be: Pearson's chi-squared with one degree of freedom.
 *
 * @param counts        customers in the treated and in the control arm
 * @param treatedShare  planned, in (0, 1)
 * @returns             probability of a split at least as far off; 1 for no customers
 *
 * Source: Fabijan et al. (2019), "Diagnosing sample ratio mismatch in online controlled experiments", KDD.
 */
export function sampleRatioP(
  { treated, control }: { treated: number; control: number },
  treatedShare: number,
): number {
  if (!(treatedShare > 0 && treatedShare < 1))
    throw new RangeError(`the share must be in (0, 1), got ${treatedShare}`);
  const n = treated + control;
  if (n === 0) return 1;
  const z = (treated - n * treatedShare) / Math.sqrt(n * treatedShare * (1 - treatedShare));
  return 2 * normalTail(Math.abs(z));
}

export interface Imbalance {
  feature: string;
  /** Difference of means over the pooled standard deviation. */
  standardised: number;
  p: number;
}

/**
 * Columns that differ between the arms beyond chance, worst first: after a fair draw none should. A column that was recorded after
 * the treatment shows up here, since the treatment changed it.
 *
 * @param rows      row-major, shape [n, features]
 * @param treated   0 or 1, shape [n]
 * @returns         those with p · features < 0.01 (Bonferroni); nothing when an arm has fewer than two rows
 */
export function imbalances(
  rows: Float32Array,
  features: readonly string[],
  treated: ArrayLike<number>,
): Imbalance[] {
  return features
    .map((feature, column) => imbalanceOf(rows, { feature, column, width: features.length }, treated))
    .filter(({ p }) => p * features.length < SUSPICIOUS_P)
    .sort((a, b) => a.p - b.p);
}

function imbalanceOf(
  rows: Float32Array,
  { feature, column, width }: { feature: string; column: number; width: number },
  treated: ArrayLike<number>,
): Imbalance {
  const arms = [moments(), moments()] as const;
  for (let i = 0; i < treated.length; i++) {
    const x = rows[i * width + column] ?? 0;
    const arm = arms[treated[i] === 1 ? 1 : 0];
    arm.n += 1;
    const distance = x - arm.mean;
    arm.mean += distance / arm.n;
    arm.squares += distance * (x - arm.mean);
  }
  const [control, acted] = arms;
  if (control.n < 2 || acted.n < 2) return { feature, standardised: 0, p: 1 };
  const [v0, v1] = [control.squares / (control.n - 1), acted.squares / (acted.n - 1)];
  const difference = acted.mean - control.mean;
  const deviation = Math.sqrt((v0 + v1) / 2);
  if (deviation === 0) return { feature, standardised: 0, p: difference === 0 ? 1 : 0 };
  const z = difference / Math.sqrt(v0 / control.n + v1 / acted.n);
  return { feature, standardised: difference / deviation, p: 2 * normalTail(Math.abs(z)) };
}

const moments = (): { n: number; mean: number; squares: number } => ({ n: 0, mean: 0, squares: 0 });
