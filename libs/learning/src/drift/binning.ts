import { countNumbers, fitEdges, paddedEdges } from './bin-edges.js';
import { categoricalView, isNumericText, numericView, type TableColumn } from '../tabular/column-table.js';

/** Rows of a column by bin of the reference, or by category. */
export type ColumnCounts =
  | { kind: 'numeric'; bins: Float64Array; missing: number }
  | { kind: 'categorical'; rows: ReadonlyMap<string, number>; missing: number };

/** How a column of numbers is put into bins, fitted once on the reference; null for categories. */
export type Binning = NumericBinning | null;

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

  /** @param values  in any order, NaN = missing */
  static fit(values: Float64Array): NumericBinning {
    return new NumericBinning(fitEdges(values));
  }

  count(column: TableColumn): ColumnCounts {
    const bins = new Float64Array(this.edges.length + 1);
    const missing = countNumbers(numericView(column), paddedEdges(this.edges), bins);
    return { kind: 'numeric', bins, missing };
  }
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
