import type { TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type ColumnTable, encodeTable, type TableColumn } from '@sextant/learning';
import type { TensorArray } from '../../tensors/tensor.js';
import type { WireReader } from '../wire/wire-reader.js';

export type TableCell = number | string | null;

/**
 * The columns of a table as they came over the wire.
 *
 * @param message  a `FeatureTable`
 * @param path     names the table in errors
 * @throws DomainError FEATURE_VECTOR_MISMATCH when a column's length is not `rows`, a code is outside its dictionary or a name comes
 *   twice; INVALID_INPUT for bytes that are no table
 */
export function readFeatureTable(message: WireReader, path: string): ColumnTable {
  let rows = 0;
  const columns: TableColumn[] = [];
  while (message.next()) {
    if (message.field === 1) rows = message.uint32();
    else if (message.field === 2) columns.push(readNumeric(message.message(), path));
    else if (message.field === 3) columns.push(readCategorical(message.message(), path));
    else message.skip();
  }
  for (const column of columns) assertRows(column, rows, path);
  const names = new Set(columns.map(({ name }) => name));
  if (names.size !== columns.length) throw mismatch(path, 'a column name comes twice');
  return { rows, columns };
}

function readNumeric(message: WireReader, path: string): TableColumn {
  let name = '';
  let values = new Float64Array();
  while (message.next()) {
    if (message.field === 1) name = message.text();
    else if (message.field === 2)
      values = new Float64Array(alignedCopy(message.data(), 8, `${path}.numeric["${name}"]`));
    else message.skip();
  }
  return { kind: 'numeric', name, values };
}

function readCategorical(message: WireReader, path: string): TableColumn {
  let name = '';
  const dictionary: string[] = [];
  let codes = new Int32Array();
  while (message.next()) {
    if (message.field === 1) name = message.text();
    else if (message.field === 2) dictionary.push(message.text());
    else if (message.field === 3)
      codes = new Int32Array(alignedCopy(message.data(), 4, `${path}.categorical["${name}"]`));
    else message.skip();
  }
  for (const code of codes) {
    if (code >= -1 && code < dictionary.length) continue;
    throw mismatch(`${path}.categorical["${name}"]`, 'codes must be -1 or an index into its dictionary');
  }
  return { kind: 'categorical', name, dictionary, codes };
}

/** Writes the rows of the model's input. @returns them */
export function writeEncoded(
  encoding: TableEncoding,
  table: ColumnTable,
  input: TensorArray,
  at: number,
): Float32Array {
  const encoded = encodeTable(encoding, table);
  if (input instanceof Float32Array) input.set(encoded, at * encoding.features.length);
  return encoded;
}

/** The table with every column that `defaults` names: where a cell is missing, its default stands in. */
export function withDefaults(
  table: ColumnTable,
  defaults: Readonly<Record<string, number | string>>,
): ColumnTable {
  const filled = table.columns.map((column) => {
    const value = Object.hasOwn(defaults, column.name) ? defaults[column.name] : undefined;
    return value === undefined ? column : fillMissing(column, value);
  });
  const given = new Set(table.columns.map(({ name }) => name));
  const absent = Object.entries(defaults).filter(([name]) => !given.has(name));
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

function assertRows(column: TableColumn, rows: number, path: string): void {
  const length = column.kind === 'numeric' ? column.values.length : column.codes.length;
  if (length === rows) return;
  throw mismatch(`${path}.${column.kind}["${column.name}"]`, `holds ${length} values for ${rows} rows`);
}

/** Numbers in a message stand at any byte; typed arrays want them at a multiple of their size. */
function alignedCopy(bytes: Uint8Array, width: number, path: string): ArrayBuffer {
  if (bytes.byteLength % width !== 0) {
    throw mismatch(path, `needs a multiple of ${width} bytes, got ${bytes.byteLength}`);
  }
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}

export function mismatch(path: string, message: string): DomainError {
  return new DomainError('FEATURE_VECTOR_MISMATCH', `${path}: ${message}`, { path });
}
