import type { MonitoringReference } from '@sextant/artefacts';
import { chiSquareTail, holm } from '../drift/tail-probabilities.js';
import { type ColumnTable, numericView, type TableColumn } from '../tabular/column-table.js';
import { ALARM_LEVELS, type Checked } from './window-analysis.js';

/** How often a feature differed between two successive rows of one subject, by how far apart these were. */
export interface FeatureChanges {
  name: string;
  /** ascending in days */
  pairs: { withinDays: number; pairs: number; changed: number }[];
}

/** Rows that were decided on or learnt from; every array has shape [rows]. */
export interface SubjectRows {
  subjects: readonly string[];
  /** milliseconds since 1970 */
  at: ArrayLike<number>;
  table: ColumnTable;
}

const DAY_MS = 86_400_000;
/** Within a day much may stay as it is, such as what is counted in days. */
const LEAST_GAP_MS = DAY_MS;
/** Days within which two rows of a pair lie; pairs farther apart are not counted. */
const WITHIN_DAYS = [2, 4, 7, 14, 30, 90] as const;
/** Fewer pairs say nothing about a feature. */
const MIN_PAIRS = 30;
/** A feature that seldom changes cannot be told to have stopped. */
const MIN_RATE = 0.1;
/** A feature is stale where it changes less than this share as often as it did. */
const STALE_SHARE = 0.5;

/**
 * Counts, for each feature, subjects whose last two rows that lie a day or more apart differ. One pair a subject, so that pairs are
 * independent.
 *
 * @param rows  of the window and of the days before it: most subjects come once in a window
 * @param from  begin of the window: only pairs whose later row is not before it
 */
export function countChanges(rows: SubjectRows, from = -Infinity): FeatureChanges[] {
  const { subjects, at, table } = rows;
  const pairs = lastPairs(subjects, at, from);
  return table.columns.map((column) => {
    const differ = comparator(column);
    const counts = WITHIN_DAYS.map((withinDays) => ({ withinDays, pairs: 0, changed: 0 }));
    for (const { earlier, later, bucket } of pairs) {
      const count = counts[bucket];
      if (count === undefined) continue;
      count.pairs += 1;
      count.changed += differ(earlier, later) ? 1 : 0;
    }
    return { name: column.name, pairs: counts.filter((count) => count.pairs > 0) };
  });
}

interface Pair {
  earlier: number;
  later: number;
  bucket: number;
}

function lastPairs(subjects: readonly string[], at: ArrayLike<number>, from: number): Pair[] {
  const order = [...subjects.keys()].sort((a, b) => (at[a] ?? 0) - (at[b] ?? 0) || a - b);
  const newest = new Map<string, number>();
  const found = new Map<string, Pair>();
  for (const row of order) {
    const subject = subjects[row] ?? '';
    const before = newest.get(subject);
    const gap = (at[row] ?? 0) - (at[before ?? row] ?? 0);
    if (before === undefined) newest.set(subject, row);
    if (before === undefined || gap < LEAST_GAP_MS) continue;
    newest.set(subject, row);
    const bucket = WITHIN_DAYS.findIndex((days) => gap <= days * DAY_MS);
    if (bucket >= 0 && (at[row] ?? 0) >= from) found.set(subject, { earlier: before, later: row, bucket });
  }
  return [...found.values()];
}

function comparator(column: TableColumn): (a: number, b: number) => boolean {
  if (column.kind === 'categorical') return (a, b) => column.codes[a] !== column.codes[b];
  const values = numericView(column);
  return (a, b) => !Object.is(values[a], values[b]);
}

/**
 * Which features stopped changing although their subjects come again: they changed less than half as often as in training, beyond chance.
 * Compared is with training's pairs that are at most as far apart, or with those of earlier windows where training has none.
 */
export function checkStale(
  { features }: MonitoringReference,
  current: readonly FeatureChanges[],
  usual: readonly FeatureChanges[] = [],
): Checked {
  const now = new Map(current.map(({ name, pairs }) => [name, pairs]));
  const before = new Map(usual.map(({ name, pairs }) => [name, pairs]));
  const tested = features.flatMap(({ name, importance, changes }) => {
    if (importance === 0) return [];
    const told = expectedChanges(now.get(name) ?? [], [changes, before.get(name) ?? []]);
    return told === null ? [] : [{ name, ...told }];
  });
  const adjusted = holm(tested.map(({ pValue }) => pValue));
  const findings = tested.flatMap(({ name, pairs, changed, expected }, i) => {
    const share = changed / expected;
    if ((adjusted[i] ?? 1) >= ALARM_LEVELS.stale || share >= STALE_SHARE) return [];
    const sentence = `"${name}" has stopped changing: it differs in ${changed} of ${pairs} repeated decisions on one customer, where ${expected.toFixed(0)} were to be expected`;
    return [{ kind: 'FEATURE_STALE' as const, name, sentence, statistic: share, threshold: STALE_SHARE }];
  });
  return { findings, notes: [] };
}

type Pairs = FeatureChanges['pairs'];

function expectedChanges(
  current: Pairs,
  references: readonly Pairs[],
): { pairs: number; changed: number; expected: number; pValue: number } | null {
  let [pairs, changed, expected, variance] = [0, 0, 0, 0];
  for (const bucket of current) {
    const known = references.map((each) => lastKnown(each, bucket.withinDays)).find((each) => each !== null);
    if (known === undefined || known === null) continue;
    const rate = known.changed / known.pairs;
    pairs += bucket.pairs;
    changed += bucket.changed;
    expected += bucket.pairs * rate;
    variance += bucket.pairs * rate * (1 - rate) * (1 + bucket.pairs / known.pairs) + 0.25;
  }
  if (pairs < MIN_PAIRS || expected < MIN_RATE * pairs) return null;
  const z = (expected - changed) / Math.sqrt(variance);
  return { pairs, changed, expected, pValue: z <= 0 ? 1 : chiSquareTail(z * z, 1) / 2 };
}

/** A longer wait changes no less: the farthest pairs that are not farther apart than these. */
function lastKnown(reference: Pairs, withinDays: number): Pairs[number] | null {
  return reference.findLast((each) => each.withinDays <= withinDays && each.pairs >= MIN_PAIRS) ?? null;
}
