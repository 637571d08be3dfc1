import type { TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type Decoded, type FeatureTable, readFloat64, readInt32 } from '@sextant/inference-protocol';
import { type ColumnTable, encodeTable, takeRows, type TableColumn } from '@sextant/learning';
import type { RowSource } from '../scheduling/batch-lane.js';

export type TableCell = number | string | null;

/**
 * The columns of a table as they came over the wire.
 *
 * @param path  names the table in errors
 * @throws DomainError FEATURE_VECTOR_MISMATCH when a column's length is not `rows`, a code is outside its dictionary or a name comes
 *   twice
 */
export function readFeatureTable(table: Decoded<FeatureTable> | null, path: string): ColumnTable {
  if (!table) throw new DomainError('INVALID_INPUT', `${path} is missing`, { path });
  const columns: TableColumn[] = [
    ...table.numeric.map(({ name, values }): TableColumn => {
      assertLength(values, 8 * table.rows, `${path}.numeric["${name}"]`);
      return { kind: 'numeric', name, values: readFloat64(values) };
    }),
    ...table.categorical.map(({ name, dictionary, codes }): TableColumn => {
      const where = `${path}.categorical["${name}"]`;
      assertLength(codes, 4 * table.rows, where);
      const read = readInt32(codes);
      if (read.some((code) => code < -1 || code >= dictionary.length)) {
        throw mismatch(where, `codes must be -1 or an index into its ${dictionary.length} texts`);
      }
      return { kind: 'categorical', name, dictionary, codes: read };
    }),
  ];
  const names = new Set(columns.map(({ name }) => name));
  if (names.size !== columns.length) throw mismatch(path, 'a column name comes twice');
  return { rows: table.rows, columns };
}

/** Rows of the model's input, encoded batch by batch when their turn comes, so that waiting rows cost no matrix. */
export function encodedRows(encoding: TableEncoding, table: ColumnTable): RowSource {
  const width = encoding.features.length;
  return {
    rows: table.rows,
    bytesPerRow: 8 * Math.max(1, table.columns.length),
    write: ([input], { from, count, at }) => {
      const indices = Int32Array.from({ length: count }, (_, i) => from + i);
      if (input instanceof Float32Array)
        input.set(encodeTable(encoding, takeRows(table, indices)), at * width);
    },
  };
}

/** The table with every column that `defaults` names: where a cell is missing, its default stands in. */
export function withDefaults(
  table: ColumnTable,
  defaults: Readonly<Record<string, number | string>>,
): ColumnTable {
  const filled = table.columns.map((column) => {
    const value = defaults[column.name];
    return value === undefined ? column : fillMissing(column, value);
  });
  const absent = Object.entries(defaults).filter(
    ([name]) => !table.columns.some((column) => column.name === name),
  );
  return {
    rows: table.rows,
    columns: [...filled, ...absent.map(([name, value]) => constantColumn(name, value, table.rows))],
  };
}

/** A cell as people read it. */
export function cellOf(column: TableColumn | undefined, row: number): TableCell {
  if (!column) return null;
  if (column.kind === 'categorical') return column.dictionary[column.codes[row] ?? -1] ?? null;
  const value = column.values[row] ?? Number.NaN;
  return Number.isNaN(value) ? null : value;
}

function constantColumn(name: string, value: number | string, rows: number): TableColumn {
  if (typeof value === 'number') return { kind: 'numeric', name, values: new Float64Array(rows).fill(value) };
  return { kind: 'categorical', name, dictionary: [value], codes: new Int32Array(rows) };
}

function fillMissing(column: TableColumn, value: number | string): TableColumn {
  if (column.kind === 'numeric') {
    return { ...column, values: column.values.map((each) => (Number.isNaN(each) ? Number(value) : each)) };
  }
  const code = column.dictionary.length;
  return {
    ...column,
    dictionary: [...column.dictionary, String(value)],
    codes: column.codes.map((each) => (each === -1 ? code : each)),
  };
}

function assertLength(bytes: Uint8Array, wanted: number, path: string): void {
  if (bytes.byteLength !== wanted) throw mismatch(path, `needs ${wanted} bytes, got ${bytes.byteLength}`);
}

function mismatch(path: string, message: string): DomainError {
  return new DomainError('FEATURE_VECTOR_MISMATCH', `${path}: ${message}`, { path });
}
