import type { MonitoringReference, ReferenceScore } from '@sextant/artefacts';
import { chiSquareTail } from '../drift/tail-probabilities.js';
import { logit, sigmoid } from '../score/logistic.js';
import type { JudgedScores } from './check-performance.js';
import { ALARM_LEVELS, type Checked } from './window-analysis.js';

const MIN_OF_A_CLASS = 20;
/** Chances that differ by less than this share of the rate of the outcome mean the same. */
const LARGE_SHARE = 0.25;
const MAX_STEPS = 50;
const RIDGE = 1e-6;
/** So that a score of 0 or 1 has log-odds. */
const LEAST_SCORE = 1e-4;

/**
 * Whether a score still means what it meant: the chance of the outcome by score, as a line through its log-odds, in the window and on
 * training's validation rows. A line that falls where it rose is said to be reversed.
 *
 * Source: Cox (1958), "Two further applications of a model for binary regression", Biometrika 45.
 */
export function checkLabel({ scores: references }: MonitoringReference, judged: JudgedScores): Checked {
  const [reference] = references.filter(({ positives }) => positives !== null);
  const positives = judged.labels.reduce((sum, label) => sum + label, 0);
  const before = reference === undefined ? null : lineOfReference(reference);
  if (before === null || Math.min(positives, judged.labels.length - positives) < MIN_OF_A_CLASS)
    return { findings: [], notes: [] };
  const now = fitLine({
    x: Float64Array.from(judged.scores, oddsOf),
    positives: Float64Array.from(judged.labels),
    rows: new Float64Array(judged.labels.length).fill(1),
  });
  const moved = meanMove(before, now, judged.scores);
  const rate = positives / judged.labels.length;
  const threshold = LARGE_SHARE * Math.min(rate, 1 - rate);
  const statistic = distanceOf(before, now);
  const isMoved = moved >= threshold && chiSquareTail(statistic, 2) < ALARM_LEVELS.label;
  if (!isMoved) return { findings: [], notes: [] };
  const isReversed = now.slope < 0 && before.slope > 0;
  const how = isReversed
    ? 'a higher score now goes with a lower chance'
    : `slope ${now.slope.toFixed(2)} and intercept ${now.intercept.toFixed(2)} of the log-odds, in training ${before.slope.toFixed(2)} and ${before.intercept.toFixed(2)}`;
  const finding = {
    kind: 'LABEL_SHIFT' as const,
    name: 'outcome given score',
    sentence: `the outcome means something else than in training: of ${judged.labels.length} decisions the chance at equal score differs by ${moved.toFixed(3)} on average; ${how}`,
    statistic: moved,
    threshold,
  };
  return { findings: [finding], notes: [] };
}

/** Log-odds of the outcome = intercept + slope × log-odds of the score, with the inverse of the information matrix. */
export interface OddsLine {
  intercept: number;
  slope: number;
  covariance: readonly [ofIntercept: number, ofBoth: number, ofSlope: number];
}

interface GroupedOutcomes {
  x: Float64Array;
  positives: Float64Array;
  rows: Float64Array;
}

/** Newton's method with a trace of a ridge, which keeps separable rows finite. */
export function fitLine({ x, positives, rows }: GroupedOutcomes): OddsLine {
  let [intercept, slope] = [0, 1];
  let covariance: OddsLine['covariance'] = [0, 0, 0];
  for (let step = 0; step < MAX_STEPS; step++) {
    let [g0, g1, h00, h01, h11] = [-RIDGE * intercept, -RIDGE * slope, RIDGE, 0, RIDGE];
    for (let i = 0; i < x.length; i++) {
      const [at, n] = [x[i] ?? 0, rows[i] ?? 0];
      const p = sigmoid(intercept + slope * at);
      const [residual, weight] = [(positives[i] ?? 0) - n * p, n * p * (1 - p)];
      g0 += residual;
      g1 += residual * at;
      h00 += weight;
      h01 += weight * at;
      h11 += weight * at * at;
    }
    const determinant = h00 * h11 - h01 * h01;
    covariance = [h11 / determinant, -h01 / determinant, h00 / determinant];
    const moves = [covariance[0] * g0 + covariance[1] * g1, covariance[1] * g0 + covariance[2] * g1] as const;
    // Far from the solution a whole step may overshoot.
    const damping = Math.min(1, 2 / Math.max(Math.abs(moves[0]), Math.abs(moves[1]), 1e-300));
    intercept += damping * moves[0];
    slope += damping * moves[1];
    if (Math.max(Math.abs(moves[0]), Math.abs(moves[1])) < 1e-9) break;
  }
  return { intercept, slope, covariance };
}

/** From the bins of the reference; null where they hold too few of either outcome. */
function lineOfReference({ binning, bins, positives }: ReferenceScore): OddsLine | null {
  if (binning.kind !== 'numeric' || positives === null) return null;
  const total = positives.reduce((sum, each) => sum + each, 0);
  const rows = bins.reduce((sum, each) => sum + each, 0);
  if (Math.min(total, rows - total) < MIN_OF_A_CLASS) return null;
  const { edges } = binning;
  const middle = (i: number): number =>
    ((edges[i - 1] ?? edges[0] ?? 0) + (edges[i] ?? edges.at(-1) ?? 0)) / 2;
  return fitLine({
    x: Float64Array.from(bins, (_, i) => oddsOf(middle(i))),
    positives: Float64Array.from(positives),
    rows: Float64Array.from(bins),
  });
}

/** Wald's: of the difference of both lines, two degrees of freedom. */
function distanceOf(before: OddsLine, now: OddsLine): number {
  const [a, b] = [now.intercept - before.intercept, now.slope - before.slope];
  const [c0, c1, c2] = [0, 1, 2].map((i) => (before.covariance[i] ?? 0) + (now.covariance[i] ?? 0));
  const determinant = (c0 ?? 0) * (c2 ?? 0) - (c1 ?? 0) ** 2;
  return ((c2 ?? 0) * a * a - 2 * (c1 ?? 0) * a * b + (c0 ?? 0) * b * b) / determinant;
}

function meanMove(before: OddsLine, now: OddsLine, scores: Float64Array): number {
  let sum = 0;
  for (const score of scores) {
    const x = oddsOf(score);
    sum += Math.abs(sigmoid(now.intercept + now.slope * x) - sigmoid(before.intercept + before.slope * x));
  }
  return sum / scores.length;
}

function oddsOf(score: number): number {
  return logit(Math.min(1 - LEAST_SCORE, Math.max(LEAST_SCORE, score)));
}
