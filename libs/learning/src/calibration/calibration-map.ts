import { logit, sigmoid } from '../score/logistic.js';
import { logLosses } from '../metrics/probability.js';
import { pairedDifference } from '../metrics/bootstrap.js';
import { type IsotonicBlock, isotonicBlocks, pooled } from './isotonic.js';
import { applyPlatt, fitPlatt, type Platt } from './platt.js';

/**
 * How a margin becomes a calibrated probability: sigmoid(a · margin + b + bend(margin)). Without a bend this is Platt's line; with
 * one, the log-odds follow an isotonic regression, straight between its blocks, and run parallel to the line beyond the
 * first and the last, so that different margins keep different probabilities.
 */
export interface Calibration extends Platt {
  /** Correction of the log-odds at ascending margins: straight between them, constant beyond. */
  bend?: { margins: number[]; corrections: number[] };
}

/** Fewer rows than this tell a bend from noise badly. */
const MIN_ROWS_FOR_ISOTONIC = 2000;
const MAX_KNOTS = 30;
const FOLDS = 5;
const LEVEL = 0.95;

/** ln(p / (1 − p)) of the calibrated probability of a margin. */
export function calibratedLogOdds({ a, b, bend }: Calibration, margin: number): number {
  return a * margin + b + (bend === undefined ? 0 : correctionAt(bend, margin));
}

export function applyCalibration(calibration: Calibration, margin: number): number {
  return sigmoid(calibratedLogOdds(calibration, margin));
}

/**
 * Isotonic calibration, smoothed so that it can be served: each block's rate is drawn towards Platt's by one row, and the blocks are
 * joined by straight lines in log-odds.
 *
 * @param margins  of rows that the model was not fitted on, shape [n], n ≥ 1
 * @param labels   0 or 1, shape [n]
 */
export function fitIsotonic(margins: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  const platt = fitPlatt(margins, labels);
  if (platt.a <= 0) return platt;
  const rows = Array.from({ length: margins.length }, (_, i) => ({
    x: margins[i] ?? 0,
    value: labels[i] ?? 0,
    weight: 1,
  }));
  const smoothed = isotonicBlocks(fewer(isotonicBlocks(rows))).map(({ x, value, weight }) => ({
    x,
    value: (value * weight + applyPlatt(platt, x)) / (weight + 1),
    weight,
  }));
  const knots = isotonicBlocks(smoothed);
  return {
    ...platt,
    bend: {
      margins: knots.map(({ x }) => x),
      corrections: knots.map(({ x, value }) => logit(value) - (platt.a * x + platt.b)),
    },
  };
}

/**
 * Platt's line, or the isotonic curve where its cross-validated log-loss (five folds by row number) is lower beyond noise; rows must
 * be in an order that says nothing of their label.
 *
 * @returns  the calibration fitted on all rows, and why in words
 */
export function chooseCalibration(
  margins: Float64Array,
  labels: ArrayLike<number>,
  seed: number,
): { calibration: Calibration; reason: string } {
  const platt = fitPlatt(margins, labels);
  if (margins.length < MIN_ROWS_FOR_ISOTONIC) {
    return {
      calibration: platt,
      reason: `Platt scaling: ${margins.length} rows are few for an isotonic curve`,
    };
  }
  const heldOut = (fit: typeof fitIsotonic): Float64Array =>
    logLosses(labels, crossFitted(margins, labels, fit));
  const gain = pairedDifference(heldOut(fitPlatt), heldOut(fitIsotonic), { seed, level: LEVEL });
  const isotonic = gain.low > 0 ? fitIsotonic(margins, labels) : undefined;
  const figures = `${gain.value.toFixed(5)} (95 % interval ${gain.low.toFixed(5)} to ${gain.high.toFixed(5)})`;
  return isotonic === undefined
    ? {
        calibration: platt,
        reason: `Platt scaling: isotonic is not better beyond noise, it gains ${figures} in log-loss`,
      }
    : { calibration: isotonic, reason: `isotonic: it gains ${figures} in log-loss over Platt scaling` };
}

function crossFitted(
  margins: Float64Array,
  labels: ArrayLike<number>,
  fit: (margins: number[], labels: number[]) => Calibration,
): Float64Array {
  const fitted = Array.from({ length: FOLDS }, (_, fold) => {
    const others = Array.from(margins.keys()).filter((i) => i % FOLDS !== fold);
    return fit(
      others.map((i) => margins[i] ?? 0),
      others.map((i) => labels[i] ?? 0),
    );
  });
  return margins.map((margin, i) => {
    const calibration = fitted[i % FOLDS];
    return calibration === undefined ? Number.NaN : applyCalibration(calibration, margin);
  });
}

/** Neighbouring blocks joined until there are at most 30, of about equal weight: more would follow noise and cost time in serving. */
function fewer(blocks: readonly IsotonicBlock[]): IsotonicBlock[] {
  const total = blocks.reduce((sum, { weight }) => sum + weight, 0);
  const slots = new Map<number, IsotonicBlock>();
  let passed = 0;
  for (const block of blocks) {
    const slot = Math.floor((passed / total) * MAX_KNOTS);
    const before = slots.get(slot);
    slots.set(slot, before === undefined ? block : pooled(before, block));
    passed += block.weight;
  }
  return [...slots.values()];
}

function correctionAt({ margins, corrections }: NonNullable<Calibration['bend']>, margin: number): number {
  const after = margins.findIndex((knot) => knot > margin);
  if (after === 0) return corrections[0] ?? 0;
  if (after < 0) return corrections.at(-1) ?? 0;
  const [x0 = 0, x1 = 0] = margins.slice(after - 1, after + 1);
  const [y0 = 0, y1 = 0] = corrections.slice(after - 1, after + 1);
  return y0 + ((margin - x0) / (x1 - x0)) * (y1 - y0);
}
