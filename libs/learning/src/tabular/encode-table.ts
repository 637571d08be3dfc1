import type { ColumnEncoding, TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { writeDate } from './encode-date.js';
import { writeLookup } from './encode-lookup.js';
import type { EncodingTarget } from './encoding-target.js';
import { signedLog1p } from './signed-log1p.js';
import { categoricalView, type ColumnTable, numericView, type TableColumn } from './column-table.js';

/** The category of a missing cell, where missing cells were common enough in training to be one. */
export const MISSING_CATEGORY = '(missing)';

type NumericEncoding = Extract<ColumnEncoding, { kind: 'numeric' }>;
type CategoricalEncoding = Extract<ColumnEncoding, { kind: 'categorical' }>;

/**
 * Model input of a table, the same for training and serving. Columns that the encoding does not name are ignored; columns that
 * the table lacks are missing in every row. A number where the model wants a text is read as its decimal form, and the reverse.
 *
 * @returns  row-major, shape [table.rows, encoding.features.length]; NaN only where the encoding has no fill value
 * @throws DomainError FEATURE_VECTOR_MISMATCH when a column's length differs from `rows` or its name comes twice
 */
export function encodeTable(encoding: TableEncoding, table: ColumnTable): Float32Array {
  const width = encoding.features.length;
  const output = new Float32Array(table.rows * width);
  const byName = columnsByName(table);
  let offset = 0;
  for (const column of encoding.columns) {
    const source = byName.get(column.column);
    const target = { output, width, offset, rows: table.rows };
    if (column.kind === 'numeric') writeNumeric(column, source, target);
    else if (column.kind === 'lookup') writeLookup(column, byName, target);
    else if (column.kind === 'date') writeDate(column, source, target);
    else writeCategorical(column, source, target);
    offset += encodedWidth(column);
  }
  return output;
}

/** Number of model input columns that one raw column becomes. */
export function encodedWidth(column: ColumnEncoding): number {
  if (column.kind === 'lookup') return 1;
  if (column.kind === 'categorical') return column.categories.length + 1;
  if (column.kind === 'date') return column.parts.length + (column.missingIndicator ? 1 : 0);
  return column.missingIndicator ? 2 : 1;
}

/** Names of the model input columns that one raw column becomes, in order. */
export function encodedNames(column: ColumnEncoding): string[] {
  if (column.kind === 'lookup') return [column.feature];
  if (column.kind === 'categorical') {
    return [
      ...column.categories.map((category) => `${column.column}=${category}`),
      `${column.column}=(other)`,
    ];
  }
  const names =
    column.kind === 'date' ? column.parts.map(({ part }) => `${column.column} (${part})`) : [column.column];
  return column.missingIndicator ? [...names, `${column.column} is missing`] : names;
}

/** Position in `encoding.columns` of each model input column, shape [features]. */
export function columnOfFeature(encoding: TableEncoding): Int32Array {
  return Int32Array.from(
    encoding.columns.flatMap((column, i) => new Array<number>(encodedWidth(column)).fill(i)),
  );
}

function writeNumeric(
  column: NumericEncoding,
  source: TableColumn | undefined,
  target: EncodingTarget,
): void {
  const values = source === undefined ? null : numericView(source);
  for (let row = 0; row < target.rows; row++) {
    const raw = values?.[row] ?? Number.NaN;
    const isMissing = !Number.isFinite(raw);
    const at = row * target.width + target.offset;
    target.output[at] = standardise(column, isMissing ? (column.fill ?? Number.NaN) : drawnIn(column, raw));
    if (column.missingIndicator) target.output[at + 1] = isMissing ? 1 : 0;
  }
}

/** A column that hardly varied in training has a steep slope: a cell beyond what was seen must not ride it. */
function drawnIn({ range }: NumericEncoding, value: number): number {
  return range ? Math.min(range[1], Math.max(range[0], value)) : value;
}

function standardise(column: NumericEncoding, value: number): number {
  const transformed = column.transform === 'signed-log1p' ? signedLog1p(value) : value;
  return (transformed - column.mean) / column.scale;
}

function writeCategorical(
  column: CategoricalEncoding,
  source: TableColumn | undefined,
  target: EncodingTarget,
): void {
  const other = column.categories.length;
  const positions = new Map(column.categories.map((category, i) => [category, i]));
  const missing = positions.get(MISSING_CATEGORY) ?? other;
  const view = source === undefined ? null : categoricalView(source);
  const positionOfCode = view?.dictionary.map((text) =>
    text.trim() === '' ? missing : (positions.get(text) ?? other),
  );
  for (let row = 0; row < target.rows; row++) {
    const code = view?.codes[row] ?? -1;
    const position = code < 0 ? missing : (positionOfCode?.[code] ?? other);
    target.output[row * target.width + target.offset + position] = 1;
  }
}

function columnsByName(table: ColumnTable): Map<string, TableColumn> {
  const byName = new Map<string, TableColumn>();
  for (const column of table.columns) {
    const length = column.kind === 'numeric' ? column.values.length : column.codes.length;
    if (length !== table.rows) {
      throw new DomainError(
        'FEATURE_VECTOR_MISMATCH',
        `column "${column.name}" holds ${length} values for ${table.rows} rows`,
        { path: column.name },
      );
    }
    if (byName.has(column.name)) {
      throw new DomainError('FEATURE_VECTOR_MISMATCH', `column "${column.name}" comes twice`, {
        path: column.name,
      });
    }
    byName.set(column.name, column);
  }
  return byName;
}
