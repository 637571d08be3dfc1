import type { Measured } from '@sextant/artefacts';
import type { TableSketch } from '../sketch/table-sketch.js';
import type { ColumnTable } from '../tabular/column-table.js';
import type { FeatureChanges } from './feature-changes.js';

/** What a check names; stable, for alerts and dashboards. */
export type WindowFindingKind =
  | 'FEATURE_SHIFT'
  | 'FEATURE_MISSING'
  | 'FEATURE_STALE'
  | 'SCORE_SHIFT'
  | 'LABEL_SHIFT'
  | 'PERFORMANCE'
  | 'GROUP_GAP'
  | 'PROXY';

export interface WindowFinding {
  kind: WindowFindingKind;
  /** the feature, group or figure it is about */
  name: string;
  /** one sentence: what, how large, against what */
  sentence: string;
  statistic: number;
  threshold: number;
}

/** One measure of one feature in a window, beside the size from which it matters for the model. */
export interface FeatureMeasure {
  feature: string;
  test: 'psi' | 'kolmogorov-smirnov' | 'missing';
  statistic: number;
  threshold: number;
  /** beyond chance and beyond the threshold */
  drifted: boolean;
  /** share of what moves the model's answer, in [0, 1] */
  importance: number;
}

/** Decisions of a window whose rows were logged; every array has shape [n]. */
export interface JudgedDecisions {
  /** the model's answer, a probability; NaN where it answered none */
  scores: ArrayLike<number>;
  /** 1 where the outcome came, 0 where its time has passed without it, −1 where it is not known yet */
  labels: ArrayLike<number>;
  /** what was decided on; null where that was not kept */
  table: ColumnTable | null;
  /** by protected trait the group of each row; '' where it is not known */
  traits: ReadonlyMap<string, readonly string[]>;
  /** whom each row is about: of each only the last row counts, since rows of one are no independent evidence; absent: of all different */
  subjects?: readonly string[];
}

export interface WindowInput {
  /** all rows served in the window */
  sketch: TableSketch;
  /** different customers among these rows, where that is known: rows of one are no independent evidence */
  subjects?: number;
  decisions?: JudgedDecisions;
  /** how many features changed between two decisions on one customer, from `countChanges` */
  changes?: readonly FeatureChanges[];
  /** the same of earlier windows, for distances in time that training had no pairs of */
  usualChanges?: readonly FeatureChanges[];
  /** gaps between groups that were known and accepted when the version was promoted, by `<trait>: <rate>` */
  acceptedGaps?: ReadonlyMap<string, number>;
}

export interface WindowAnalysis {
  rowsSeen: number;
  /** by importance × statistic, largest first */
  features: FeatureMeasure[];
  /** null with too few known outcomes */
  performance: Measured | null;
  findings: WindowFinding[];
  /** `stable`, `drifting`, `broken` or `too little data`, then why in a sentence */
  verdict: string;
  /** what was not checked and why, a sentence each */
  notes: string[];
}

/**
 * Chance of a false alarm of each family of checks in a window without any change; together 0.006, so that less than one window in a
 * hundred raises anything by chance.
 */
export const ALARM_LEVELS = {
  columns: 0.002,
  stale: 0.0005,
  performance: 0.001,
  label: 0.0005,
  groups: 0.001,
  proxy: 0.001,
} as const;

/** What one check says. */
export interface Checked {
  findings: WindowFinding[];
  notes: string[];
}
