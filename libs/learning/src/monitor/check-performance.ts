import type { Measured, MonitoringReference } from '@sextant/artefacts';
import { normalQuantile } from '../calibration/normal-quantile.js';
import { chiSquareTail } from '../drift/tail-probabilities.js';
import { ALARM_LEVELS, type Checked } from './window-analysis.js';

/** Decisions whose outcome is known; every array has shape [n]. */
export interface JudgedScores {
  scores: Float64Array;
  /** 0 or 1 */
  labels: Uint8Array;
}

const MIN_OF_A_CLASS = 20;
/** A smaller loss of AUC changes little of what is decided. */
const LARGE_LOSS = 0.05;
const LEVEL = 0.95;

/** The model's own measure on decisions whose outcome is known, against that of training; null where too few are. */
export function checkPerformance(
  { performance }: MonitoringReference,
  { scores, labels }: JudgedScores,
): Checked & { performance: Measured | null } {
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const fewest = Math.min(positives, labels.length - positives);
  if (fewest < MIN_OF_A_CLASS) {
    const note = `performance was not judged: ${positives} decisions with the outcome and ${labels.length - positives} without are known, ${MIN_OF_A_CLASS} of each are needed`;
    return { findings: [], notes: [note], performance: null };
  }
  const { value, error } = aucWithError(scores, labels);
  const half = normalQuantile((1 + LEVEL) / 2) * error;
  const measured = {
    value,
    low: Math.max(0, value - half),
    high: Math.min(1, value + half),
    level: LEVEL,
  };
  if (performance === null) return { findings: [], notes: [], performance: measured };
  const before = performance.value;
  const errorBefore = (before.high - before.low) / (2 * normalQuantile((1 + before.level) / 2));
  const loss = before.value - value;
  const z = loss / Math.hypot(error, errorBefore);
  const isLost = loss >= LARGE_LOSS && chiSquareTail(z * z, 1) / 2 < ALARM_LEVELS.performance;
  const finding = {
    kind: 'PERFORMANCE' as const,
    name: performance.measure,
    sentence: `AUC on ${labels.length} decisions with a known outcome is ${value.toFixed(3)} (${measured.low.toFixed(3)} to ${measured.high.toFixed(3)}), in training it was ${before.value.toFixed(3)}`,
    statistic: loss,
    threshold: LARGE_LOSS,
  };
  return { findings: isLost ? [finding] : [], notes: [], performance: measured };
}

/**
 * Area under the ROC curve with its standard error.
 *
 * @param labels  0 or 1, each at least twice
 * @returns       `error` at least that of a hundredth of a row, since a perfect order would have none
 *
 * Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); Sun and Xu (2014), IEEE Signal Processing Letters 21(11), for
 * the ranks.
 */
export function aucWithError(
  scores: Float64Array,
  labels: ArrayLike<number>,
): { value: number; error: number } {
  const all = midRanks(scores);
  const rowsOf = (label: number): number[] => [...scores.keys()].filter((row) => labels[row] === label);
  const [ones, zeros] = [rowsOf(1), rowsOf(0)];
  const among = (rows: readonly number[]): Float64Array =>
    midRanks(Float64Array.from(rows, (row) => scores[row] ?? 0));
  const [ranksOfOnes, ranksOfZeros] = [among(ones), among(zeros)];
  const placesOfOnes = ones.map((row, i) => ((all[row] ?? 0) - (ranksOfOnes[i] ?? 0)) / zeros.length);
  const placesOfZeros = zeros.map((row, i) => 1 - ((all[row] ?? 0) - (ranksOfZeros[i] ?? 0)) / ones.length);
  const value = placesOfOnes.reduce((sum, each) => sum + each, 0) / ones.length;
  const variance = varianceOf(placesOfOnes) / ones.length + varianceOf(placesOfZeros) / zeros.length;
  return { value, error: Math.max(Math.sqrt(variance), 0.01 / scores.length) };
}

/** Ranks from 1; equal values share the mean of theirs. */
function midRanks(values: Float64Array): Float64Array {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let from = 0; from < order.length;) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    for (let i = from; i < to; i++) ranks[order[i] ?? 0] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

function varianceOf(values: readonly number[]): number {
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
}
