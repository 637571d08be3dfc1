import type { CsvFile } from './csv-file.js';
import { isMissing } from './missing-cell.js';

/**
 * Row numbers by the text of the key (customer, session), both in the order of the file. Rows without the key or without the other column
 * are of nobody or of nothing: they are left out, with a warning.
 */
export function rowsByKey(
  file: CsvFile,
  key: string,
  other: string,
): { rowsOf: ReadonlyMap<string, number[]>; warnings: string[] } {
  const [keys, others] = [file.texts(key), file.texts(other)];
  const rowsOf = new Map<string, number[]>();
  let missing = 0;
  keys.forEach((text, row) => {
    if (isMissing(text) || isMissing(others[row] ?? '')) missing += 1;
    else if (!rowsOf.get(text)?.push(row)) rowsOf.set(text, [row]);
  });
  const warnings =
    missing > 0
      ? [`${missing} of ${file.rows} rows have no "${key}" or no "${other}" and were left out`]
      : [];
  return { rowsOf, warnings };
}
