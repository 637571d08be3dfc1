import { weightedAuc } from '../metrics/probability.js';
import { categoricalView, type TableColumn } from './column-table.js';

/** An honest single feature hardly ever separates leads this well; a field that is filled in after the sale does. */
export const LEAKAGE_AUC = 0.98;

/** High enough to be worth a look by somebody who knows how the column comes about. */
export const SUSPICIOUS_AUC = 0.9;

const NUMERIC_BINS = 32;
/** Pseudo-rows at the overall rate that a small bin is shrunk by. */
const SHRINKAGE = 4;

/**
 * AUC of one raw column alone: cells become bins (quantile bins of numbers, texts as they are, missing by itself), a bin's score
 * is its shrunken positive rate, counted on the other half of the rows (odd and even), so that an identifier scores 0.5.
 *
 * @param labels  0 or 1, shape [rows]
 * @returns       a value in [0, 1]; NaN when one class is absent
 */
export function singleFeatureAuc(column: TableColumn, labels: ArrayLike<number>): number {
  const { bins, count } = binned(column);
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

function binned(column: TableColumn): { bins: Int32Array; count: number } {
  if (column.kind === 'categorical') {
    const { codes, dictionary } = categoricalView(column);
    return { bins: codes.map((code) => code + 1), count: dictionary.length + 1 };
  }
  const sorted = column.values.filter((value) => !Number.isNaN(value)).sort();
  const edges: number[] = [];
  for (let k = 1; k < NUMERIC_BINS; k++) {
    const edge = sorted[Math.floor((k * sorted.length) / NUMERIC_BINS)];
    if (edge !== undefined && edge !== edges.at(-1)) edges.push(edge);
  }
  const bins = Int32Array.from(column.values, (value) =>
    Number.isNaN(value) ? 0 : 1 + edges.reduce((above, edge) => above + (value >= edge ? 1 : 0), 0),
  );
  return { bins, count: edges.length + 2 };
}

function add(target: Float64Array | undefined, at: number, amount: number): void {
  if (target !== undefined) target[at] = (target[at] ?? 0) + amount;
}
