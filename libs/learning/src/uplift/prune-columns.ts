import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { encodedNames, encodedWidth } from '../tabular/encode-table.js';

/** Columns that follow each other this closely say nearly the same: a correlation of 0.8 leaves a third of the spread as news. */
const SAME = 0.8;

/**
 * The encoding without numeric columns that (nearly) repeat an earlier one, and without marks of missing cells that do: counts
 * over several half-lives and recencies of events that never came are many columns and little news, and effects are too faint to
 * be learnt from many columns.
 *
 * @param rows  of the encoding, row-major, shape [n, encoding.features.length], every cell finite
 */
export function pruneColumns(encoding: TableEncoding, rows: Float32Array): TableEncoding {
  const width = encoding.features.length;
  const kept: Float64Array[] = [];
  const isNews = (at: number): boolean => {
    const column = standardised(rows, at, width);
    if (column === null || kept.some((other) => Math.abs(product(column, other)) > SAME)) return false;
    kept.push(column);
    return true;
  };
  let offset = 0;
  const columns = encoding.columns.flatMap((column): ColumnEncoding[] => {
    const at = offset;
    offset += encodedWidth(column);
    if (column.kind !== 'numeric') return [column];
    if (!isNews(at)) return [];
    return [{ ...column, missingIndicator: column.missingIndicator && isNews(at + 1) }];
  });
  return { ...encoding, columns, features: columns.flatMap(encodedNames) };
}

/** Mean 0 and length 1; null for a constant column. */
function standardised(rows: Float32Array, at: number, width: number): Float64Array | null {
  const n = rows.length / width;
  const values = Float64Array.from({ length: n }, (_, i) => rows[i * width + at] ?? 0);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  for (let i = 0; i < n; i++) values[i] = (values[i] ?? 0) - mean;
  const length = Math.sqrt(product(values, values));
  return length > 1e-9 * Math.sqrt(n) ? values.map((value) => value / length) : null;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
