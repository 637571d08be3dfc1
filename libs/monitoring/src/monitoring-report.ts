import type { Measured } from '@sextant/artefacts';

/** What a window of served decisions showed about a version; the kinds are stable, for alerts and dashboards. */
export const FINDING_KINDS = [
  'FEATURE_SHIFT',
  'FEATURE_MISSING',
  'FEATURE_STALE',
  'SCORE_SHIFT',
  'LABEL_SHIFT',
  'PERFORMANCE',
  'GROUP_GAP',
  'PROXY',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  kind: FindingKind;
  /** the feature, group or figure it is about, e.g. `traits.country` or `gender: f / m` */
  name: string;
  /** one English sentence: what, how large, against what */
  sentence: string;
  statistic: number;
  threshold: number;
}

/** Half-open, whole UTC hours. */
export interface Window {
  from: Date;
  to: Date;
}

export interface FeatureDrift {
  feature: string;
  /** e.g. `psi`, `kolmogorov-smirnov`, `missing` */
  test: string;
  statistic: number;
  threshold: number;
  drifted: boolean;
  /** share of the model's use of the feature, in [0, 1] */
  importance: number;
}

/** One version in one window. */
export interface MonitoringReport {
  tenantId: string;
  /** `<tenant>.<task>` */
  model: string;
  version: number;
  window: Window;
  rowsSeen: number;
  /** worker processes that counted */
  workers: number;
  /** by importance × effect, largest first */
  features: FeatureDrift[];
  /** the model's own measure on decisions whose outcome is known; null with too few */
  performance: Measured | null;
  findings: Finding[];
  /** what was not checked and why, a sentence each */
  notes: string[];
  /** `stable`, `drifting`, `broken`, or `too little data`, then why in a sentence */
  verdict: string;
  createdAt: Date;
  /** job that was asked for because of it */
  retrainJobId: string | null;
}
