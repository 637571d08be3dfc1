import { weightedAuc } from '../metrics/probability.js';
import { type BinnedColumn, binnedColumn, levelName } from './binned-column.js';
import { dependsOn } from './conditional-dependence.js';
import type { ColumnTable, TableColumn } from './column-table.js';

/** An honest single feature hardly ever separates leads this well; a field that is filled in after the sale does. */
export const LEAKAGE_AUC = 0.98;

/** High enough to be worth a look by somebody who knows how the column comes about. */
export const SUSPICIOUS_AUC = 0.9;

/** Pseudo-rows at the overall rate that a small bin is shrunk by. */
const SHRINKAGE = 4;
const MIN_ROWS_OF_A_CLASS = 20;
/**
 * A value decides the label where at least this share of its rows, of at least 30, has the rarer one, and a column leaks where its deciding
 * values hold at least so much of that label's rows. Numbers need more: the far end of an honest scale, such as customers who have
 * not bought for a year, may decide a good part of the rows nearly always.
 */
const DECIDING = {
  categorical: { rate: 0.95, share: 0.3 },
  numeric: { rate: 0.99, share: 0.5 },
};
const MIN_ROWS_OF_A_LEVEL = 30;
/** AUC away from 0.5 by which a column says anything of the label. */
const INFORMATIVE = 0.03;

/**
 * Words in the names of fields that are rewritten while a case goes on, so that their last value knows how it ended. A name alone is
 * no evidence: many an honest column has one.
 */
const REWRITTEN = new Set(
  'last latest status state stage tag tags quality score rating grade profile activity outcome result disposition reason closed converted won lost duration note notes comment comments modified updated resolution resolved final response cancelled canceled refund refunded'.split(
    ' ',
  ),
);

export interface LeakFindings {
  /** Sentences by the name of a column that must be left out: why it gives the label away. */
  leaks: ReadonlyMap<string, string>;
  /** Sentences by the name of a column that is worth a look. */
  suspicious: ReadonlyMap<string, string>;
  /** `singleFeatureAuc` by column name; empty where the labels are too few. */
  alone: ReadonlyMap<string, number>;
}

/**
 * Columns that know the label because they were written after it. A column leaks where
 * - alone it reaches an AUC of 0.98, or
 * - some of its values decide the label: values whose rows nearly all (95 %) have the rarer label hold 30 % of that label's
 *   rows (for numbers 99 % and 50 %), e.g. "closed" among the tags of a lead; or
 * - another column of the table leaks by one of these, so that the table was written after the fact, and the column's name says that it is
 *   rewritten ("last …", "… status", "… score"), it says something of the label, and it goes with the leak among rows of equal label:
 *   one hand filled in both.
 * A column that only predicts well is left alone; from an AUC of 0.9 on it is named as suspicious.
 *
 * @param labels  0 or 1, shape [rows]; fewer than 20 rows of either label are too few to say, and nothing is found
 */
export function findLeaks(table: ColumnTable, labels: ArrayLike<number>): LeakFindings {
  const [leaks, suspicious] = [new Map<string, string>(), new Map<string, string>()];
  const rarer = rarerLabel(labels);
  if (rarer === null) return { leaks, suspicious, alone: new Map() };
  const columns = table.columns.map((column) => {
    const binned = binnedColumn(column);
    return { column, binned, alone: binnedAuc(binned, labels) };
  });
  for (const { column, binned, alone } of columns) {
    const deciding = decidingLevels(binned, labels, { rarer, rate: DECIDING[column.kind].rate });
    if (alone >= LEAKAGE_AUC) {
      leaks.set(column.name, `it gives the label away (alone it reaches an AUC of ${alone.toFixed(3)})`);
    } else if (deciding.share >= DECIDING[column.kind].share) {
      leaks.set(
        column.name,
        `it gives the label away (rows of ${named(column, binned, deciding.levels)} nearly all have one label, and hold ${(100 * deciding.share).toFixed(0)} % of it)`,
      );
    } else if (alone >= SUSPICIOUS_AUC) {
      suspicious.set(
        column.name,
        `alone reaches an AUC of ${alone.toFixed(3)}: check that it is known before the outcome`,
      );
    }
  }
  const certain = columns.filter(({ column }) => leaks.has(column.name));
  for (const { column, binned, alone } of columns) {
    if (leaks.has(column.name) || !soundsRewritten(column.name)) continue;
    if (Math.abs(alone - 0.5) < INFORMATIVE) continue;
    const source = certain.find((leak) => dependsOn(binned, leak.binned, labels));
    if (source === undefined) continue;
    leaks.set(
      column.name,
      `by its name it is rewritten over time, and it goes with "${source.column.name}", which gives the label away`,
    );
  }
  return { leaks, suspicious, alone: new Map(columns.map(({ column, alone }) => [column.name, alone])) };
}

/**
 * AUC of one raw column alone: cells become bins (quantile bins of numbers, texts as they are, missing by itself), a bin's score
 * is its shrunken positive rate, counted on the other half of the rows (odd and even), so that an identifier scores 0.5.
 *
 * @param labels  0 or 1, shape [rows]
 * @returns       a value in [0, 1]; NaN when one class is absent
 */
export function singleFeatureAuc(column: TableColumn, labels: ArrayLike<number>): number {
  return binnedAuc(binnedColumn(column), labels);
}

function binnedAuc({ bins, count }: BinnedColumn, labels: ArrayLike<number>): number {
  const totals = [new Float64Array(count), new Float64Array(count)];
  const positives = [new Float64Array(count), new Float64Array(count)];
  let positiveRows = 0;
  for (let row = 0; row < bins.length; row++) {
    const bin = bins[row] ?? 0;
    add(totals[row % 2], bin, 1);
    add(positives[row % 2], bin, labels[row] ?? 0);
    positiveRows += labels[row] ?? 0;
  }
  const rate = positiveRows / bins.length;
  const scores = Float64Array.from(bins, (bin, row) => {
    const other = 1 - (row % 2);
    return ((positives[other]?.[bin] ?? 0) + SHRINKAGE * rate) / ((totals[other]?.[bin] ?? 0) + SHRINKAGE);
  });
  return weightedAuc({ labels, scores })(new Float64Array(bins.length).fill(1));
}

/** The label of fewer rows; null where either has too few. */
function rarerLabel(labels: ArrayLike<number>): 0 | 1 | null {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) positives += labels[i] ?? 0;
  const negatives = labels.length - positives;
  if (Math.min(positives, negatives) < MIN_ROWS_OF_A_CLASS) return null;
  return positives <= negatives ? 1 : 0;
}

/** Bins whose rows nearly all have the rarer label, most rows first, and the share of that label's rows in them. */
function decidingLevels(
  { bins, count }: BinnedColumn,
  labels: ArrayLike<number>,
  { rarer, rate }: { rarer: 0 | 1; rate: number },
): { levels: number[]; share: number } {
  const [rows, hits] = [new Float64Array(count), new Float64Array(count)];
  for (const [row, bin] of bins.entries()) {
    add(rows, bin, 1);
    if (labels[row] === rarer) add(hits, bin, 1);
  }
  const levels = Array.from(rows.keys())
    .filter((bin) => (rows[bin] ?? 0) >= MIN_ROWS_OF_A_LEVEL)
    .filter((bin) => (hits[bin] ?? 0) >= rate * (rows[bin] ?? 0))
    .sort((a, b) => (rows[b] ?? 0) - (rows[a] ?? 0) || a - b);
  const held = levels.reduce((sum, bin) => sum + (hits[bin] ?? 0), 0);
  return { levels, share: held / hits.reduce((sum, n) => sum + n, 0) };
}

function named(column: TableColumn, binned: BinnedColumn, levels: readonly number[]): string {
  const names = levels.slice(0, 2).map((level) => levelName(column, binned, level));
  return levels.length > 2 ? `${names.join(', ')} and ${levels.length - 2} more` : names.join(' and ');
}

function soundsRewritten(name: string): boolean {
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .match(/\p{L}+/gu);
  return words?.some((word) => REWRITTEN.has(word)) ?? false;
}

function add(target: Float64Array | undefined, at: number, amount: number): void {
  if (target !== undefined) target[at] = (target[at] ?? 0) + amount;
}
