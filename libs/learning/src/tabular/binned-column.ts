import { categoricalView, type TableColumn } from './column-table.js';

const NUMERIC_BINS = 32;

/** A column by bins: `bins` shape [rows], values 0..count − 1, bin 0 = missing. */
export interface BinnedColumn {
  bins: Int32Array;
  count: number;
  /** Lower ends of the bins from 2 on; empty for a column of texts, whose bins are its dictionary's codes + 1. */
  edges: readonly number[];
}

/** About 32 bins of equally many rows for numbers (a value that is common has a bin of its own), one bin a text. */
export function binnedColumn(column: TableColumn): BinnedColumn {
  if (column.kind === 'categorical') {
    const { codes, dictionary } = categoricalView(column);
    return { bins: codes.map((code) => code + 1), count: dictionary.length + 1, edges: [] };
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
  return { bins, count: edges.length + 2, edges };
}

/** A bin as a person would name it. */
export function levelName(column: TableColumn, { edges }: BinnedColumn, bin: number): string {
  if (bin === 0) return 'missing cells';
  if (column.kind === 'categorical') return `"${column.dictionary[bin - 1] ?? ''}"`;
  const [from, to] = [edges[bin - 2], edges[bin - 1]];
  if (from === undefined) return `numbers below ${to}`;
  return to === undefined ? `numbers from ${from} on` : `numbers from ${from} to ${to}`;
}
