import type { MonitoringReference } from '@sextant/artefacts';
import { tableOfRecords } from '@sextant/learning';
import { buildReference } from '@sextant/learning/monitor';
import type { ImportOrder } from './import-order.js';
import type { Judged } from './judge-import.js';
import type { TrialResult } from './runtime/trial.js';

/** Fewer rows are no picture of what is usual. */
const MIN_ROWS = 100;
/** The one score of such a model, as the worker counts it. */
const SCORE = 'probability';

/** Share of each feature in what the model says, summing to 1; empty where it was not measured or nothing moves the answer. */
export function importanceOf({ columns }: ImportOrder, { moved }: TrialResult): Record<string, number> {
  const byFeature = new Map<string, number>();
  for (const [i, { feature }] of columns.entries())
    byFeature.set(feature, (byFeature.get(feature) ?? 0) + (moved?.[i] ?? 0));
  const total = [...byFeature.values()].reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return {};
  return Object.fromEntries([...byFeature].map(([feature, value]) => [feature, value / total]));
}

/**
 * What served rows are compared with, out of the sample; null where the sample is too small, or names no features. Of when its rows
 * are is not known.
 */
export function monitoringOf(
  order: ImportOrder,
  trial: TrialResult,
  judged: Judged,
): MonitoringReference | null {
  const records = order.sample.flatMap(({ row }) => (Array.isArray(row) ? [] : [row]));
  const importance = new Map(Object.entries(importanceOf(order, trial)));
  if (records.length < Math.max(MIN_ROWS, order.sample.length) || importance.size === 0) return null;
  const labels = order.sample.flatMap(({ label }) => (label == null ? [] : [label]));
  const isLabelled = labels.length === order.sample.length;
  const auc = judged.metrics['auc'];
  const positives = labels.filter((label) => label === 1).length;
  return buildReference({
    table: tableOfRecords(records),
    at: null,
    subjects: null,
    importance,
    scores: [{ name: SCORE, values: trial.probabilities, labels: isLabelled ? labels : null }],
    threshold: judged.bands.hot,
    performance: auc ? { measure: 'auc', value: auc, rows: labels.length, positives } : null,
  });
}
