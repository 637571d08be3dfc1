import type { MonitoringReference, ReferenceFeature, ReferenceScore } from '@sextant/artefacts';
import { holm } from '../drift/tail-probabilities.js';
import type { TableSketch } from '../sketch/table-sketch.js';
import { type ColumnShift, columnShift } from './column-shift.js';
import { ALARM_LEVELS, type Checked, type FeatureMeasure, type WindowFinding } from './window-analysis.js';

/** From here on a stability index is more than slight: Siddiqi (2006), Credit Risk Scorecards, Wiley. */
const LARGE_PSI = 0.1;
/** About the Kolmogorov–Smirnov distance of a normal column that has a stability index of 0.1. */
const LARGE_DISTANCE = 0.125;
const LARGE_MISSING = 0.05;
/** A feature of less importance than this, or than the average where that is less, has to move more before it matters, in proportion. */
const FULL_IMPORTANCE = 0.05;
/** A shift counts from this multiple of what days and weeks of the reference show. */
const BEYOND_USUAL = 3;

interface Judged {
  kind: 'feature' | 'score';
  name: string;
  importance: number;
  /** from which a feature counts in full */
  fullImportance: number;
  reference: ReferenceFeature | ReferenceScore;
  shift: ColumnShift;
  /** adjusted over all columns and tests of the window */
  p: { shift: number; missing: number; frozen: number };
}

/**
 * What features and scores look like beside the reference. A finding needs both: evidence, which is Holm's adjustment over every column
 * and test of the window, and a size that matters, which is that of the stability index (or of the missing rate) in proportion to the
 * importance of the feature, and beyond three times what parts of the reference differ by.
 */
export function checkColumns(
  reference: MonitoringReference,
  sketch: TableSketch,
  weight: number,
): Checked & { features: FeatureMeasure[] } {
  const judged = judge(reference, sketch, weight);
  const findings = judged.flatMap(findingsOf);
  const features = judged
    .filter(({ kind }) => kind === 'feature')
    .flatMap(measuresOf)
    .sort(
      (a, b) => b.importance * b.statistic - a.importance * a.statistic || (a.feature < b.feature ? -1 : 1),
    );
  return { findings, features, notes: [] };
}

function judge({ features, scores }: MonitoringReference, sketch: TableSketch, weight: number): Judged[] {
  const columns = [
    ...features.map((each) => ({ kind: 'feature' as const, each, counts: sketch.feature(each.name) })),
    ...scores.map((each) => ({ kind: 'score' as const, each, counts: sketch.score(each.name) })),
  ];
  const shifts = columns.flatMap(({ kind, each, counts }) =>
    counts === null ? [] : [{ kind, each, shift: columnShift(each, counts, weight) }],
  );
  const tests = shifts.flatMap(({ shift }) => [shift.shiftP, shift.missingP, shift.frozen?.pValue ?? 1]);
  const adjusted = holm(tests);
  const used = features.filter(({ importance }) => importance > 0).length;
  const fullImportance = Math.min(FULL_IMPORTANCE, 1 / Math.max(1, used));
  return shifts.map(({ kind, each, shift }, i) => ({
    kind,
    name: each.name,
    importance: 'importance' in each ? each.importance : 1,
    fullImportance,
    reference: each,
    shift,
    p: {
      shift: adjusted[3 * i] ?? 1,
      missing: adjusted[3 * i + 1] ?? 1,
      frozen: adjusted[3 * i + 2] ?? 1,
    },
  }));
}

function thresholdOf(large: number, { importance, fullImportance }: Judged, usual: number): number {
  return Math.max(large * Math.max(1, fullImportance / importance), BEYOND_USUAL * usual);
}

function isFar(judged: Judged): boolean {
  return judged.shift.psi >= thresholdOf(LARGE_PSI, judged, judged.reference.usual.psi);
}

function isShifted(judged: Judged): boolean {
  return judged.p.shift < ALARM_LEVELS.columns && isFar(judged);
}

function isMissing(judged: Judged): boolean {
  const { shift, p, reference } = judged;
  const moved = Math.abs(shift.missingRate.current - shift.missingRate.reference);
  return (
    p.missing < ALARM_LEVELS.columns && moved >= thresholdOf(LARGE_MISSING, judged, reference.usual.missing)
  );
}

function findingsOf(judged: Judged): WindowFinding[] {
  const { kind, name, shift, p } = judged;
  if (kind === 'score') return isShifted(judged) ? [shiftFinding(judged)] : [];
  const found: WindowFinding[] = [];
  const matters = judged.importance > 0;
  if (matters && shift.frozen !== null && p.frozen < ALARM_LEVELS.columns && isFar(judged)) {
    found.push({
      kind: 'FEATURE_STALE',
      name,
      sentence: `"${name}" stands still: every row of the window falls into one bin, which held ${percent(shift.frozen.share)} in training`,
      statistic: 1,
      threshold: shift.frozen.share,
    });
  } else if (matters && isShifted(judged)) found.push(shiftFinding(judged));
  if (matters && isMissing(judged)) found.push(missingFinding(judged));
  return found;
}

function shiftFinding(judged: Judged): WindowFinding {
  const { kind, name, shift, importance, reference } = judged;
  const threshold = thresholdOf(LARGE_PSI, judged, reference.usual.psi);
  const weighs = kind === 'feature' ? `; it carries ${percent(importance)} of the model` : '';
  const distance = shift.ksDistance === null ? '' : `, Kolmogorov–Smirnov ${shift.ksDistance.toFixed(2)}`;
  return {
    kind: kind === 'feature' ? 'FEATURE_SHIFT' : 'SCORE_SHIFT',
    name,
    sentence: `"${name}" is distributed otherwise than in training: stability index ${shift.psi.toFixed(2)}${distance}, from ${threshold.toFixed(2)} on it matters${weighs}`,
    statistic: shift.psi,
    threshold,
  };
}

function missingFinding(judged: Judged): WindowFinding {
  const { name, shift, importance, reference } = judged;
  const { reference: before, current } = shift.missingRate;
  return {
    kind: 'FEATURE_MISSING',
    name,
    sentence: `"${name}" is missing in ${percent(current)} of the rows, in training in ${percent(before)}; it carries ${percent(importance)} of the model`,
    statistic: Math.abs(current - before),
    threshold: thresholdOf(LARGE_MISSING, judged, reference.usual.missing),
  };
}

function measuresOf(judged: Judged): FeatureMeasure[] {
  const { name: feature, importance, shift, reference } = judged;
  const [shifted, missing] = [isShifted(judged), isMissing(judged)];
  const moved = Math.abs(shift.missingRate.current - shift.missingRate.reference);
  const measure = (
    test: FeatureMeasure['test'],
    statistic: number,
    { threshold, drifted }: { threshold: number; drifted: boolean },
  ): FeatureMeasure => ({ feature, test, statistic, threshold: finite(threshold), drifted, importance });
  const distance = thresholdOf(LARGE_DISTANCE, judged, 0);
  const rows = [
    measure('psi', shift.psi, {
      threshold: thresholdOf(LARGE_PSI, judged, reference.usual.psi),
      drifted: shifted,
    }),
  ];
  if (shift.ksDistance !== null) {
    const drifted = shifted && shift.ksDistance >= distance;
    rows.push(measure('kolmogorov-smirnov', shift.ksDistance, { threshold: distance, drifted }));
  }
  if (moved > 0) {
    const threshold = thresholdOf(LARGE_MISSING, judged, reference.usual.missing);
    rows.push(measure('missing', moved, { threshold, drifted: missing }));
  }
  return rows;
}

/** Of a feature that the model does not use no shift matters. */
function finite(threshold: number): number {
  return Number.isFinite(threshold) ? threshold : Number.MAX_VALUE;
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(3)} %`;
}
