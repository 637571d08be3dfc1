import { categoricalView, isNumericText, numericView, type TableColumn } from '../tabular/column-table.js';

/** Rows of a column by bin of the reference, or by category. */
export type ColumnCounts =
  | { kind: 'numeric'; bins: Float64Array; missing: number }
  | { kind: 'categorical'; rows: ReadonlyMap<string, number>; missing: number };

/** How a column of numbers is put into bins, fitted once on the reference; null for categories. */
export type Binning = NumericBinning | null;

const TAIL_SHARES = [0.0002, 0.0005, 0.001, 0.005, 0.01];
/** Shares of the reference's rows at which bins end: twentieths, and finer towards both tails. */
const SHARES = [
  ...TAIL_SHARES,
  ...Array.from({ length: 19 }, (_, i) => (i + 1) / 20),
  ...TAIL_SHARES.map((share) => 1 - share),
];
/** Searched without a branch in five steps. */
const MAX_EDGES = 31;

/** Bins where every present cell of the column is a number, also when written as text. */
export function fitBinning(column: TableColumn): Binning {
  const isNumeric = column.kind === 'numeric' || isNumericText(column);
  return isNumeric ? NumericBinning.fit(numericView(column)) : null;
}

export function countColumn(binning: Binning, column: TableColumn): ColumnCounts {
  return binning === null ? countCategories(column) : binning.count(column);
}

/**
 * Bins by quantiles of the reference: bin i holds edge i−1 < x ≤ edge i. The first bin lies below the least and the last above the
 * greatest value of the reference, so that both are empty there.
 */
export class NumericBinning {
  /** @param edges  ascending, at most 31 */
  private constructor(private readonly edges: Float64Array) {}

  static fit(values: Float64Array): NumericBinning {
    const sorted = values.filter((value) => !Number.isNaN(value)).sort();
    if (sorted.length === 0) return new NumericBinning(new Float64Array(0));
    const inner = SHARES.map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
    const edges = new Set([justBelow(sorted[0] ?? 0), ...inner, sorted.at(-1) ?? 0]);
    return new NumericBinning(Float64Array.from(edges).sort());
  }

  count(column: TableColumn): ColumnCounts {
    const padded = new Float64Array(MAX_EDGES).fill(Infinity);
    padded.set(this.edges);
    const counts = new Uint32Array(MAX_EDGES + 1);
    const missing = countNumbers(numericView(column), padded, counts);
    return { kind: 'numeric', bins: Float64Array.from(counts.subarray(0, this.edges.length + 1)), missing };
  }
}

/** One pass; the five steps of each search are sums of comparisons, since branches on them would be guessed wrong half the time. */
function countNumbers(values: Float64Array, edges: Float64Array, counts: Uint32Array): number {
  const middle = edges[15] ?? 0;
  let missing = 0;
  for (let i = 0; i < values.length; i++) {
    const x = values[i] ?? Number.NaN;
    if (Number.isNaN(x)) {
      missing++;
      continue;
    }
    let bin = Number(middle < x) << 4;
    bin += Number((edges[bin + 7] ?? 0) < x) << 3;
    bin += Number((edges[bin + 3] ?? 0) < x) << 2;
    bin += Number((edges[bin + 1] ?? 0) < x) << 1;
    bin += Number((edges[bin] ?? 0) < x);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return missing;
}

function countCategories(column: TableColumn): ColumnCounts {
  const { dictionary, codes } = categoricalView(column);
  const byCode = countCodes(codes, dictionary.length);
  const rows = new Map<string, number>();
  for (const [code, category] of dictionary.entries())
    if ((byCode[code] ?? 0) > 0) rows.set(category, byCode[code] ?? 0);
  return { kind: 'categorical', rows, missing: byCode[dictionary.length] ?? 0 };
}

/** Rows by code; the last entry counts the missing. */
function countCodes(codes: Int32Array, size: number): Uint32Array {
  const counts = new Uint32Array(size + 1);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? -1;
    const at = code < 0 ? size : code;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}

/** The next float64 below x. */
function justBelow(x: number): number {
  const view = new DataView(new ArrayBuffer(8));
  if (x === 0) return -Number.MIN_VALUE;
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + (x > 0 ? -1n : 1n));
  return view.getFloat64(0);
}
