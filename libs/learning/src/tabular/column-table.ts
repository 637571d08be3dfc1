/** A cell as events and forms carry it. */
export type Cell = number | string | boolean | null | undefined;

/** A table as it comes from records: booleans count as the numbers 1 and 0; null, '' and non-finite numbers are missing. */
export interface RawTable {
  rows: number;
  columns: { name: string; values: readonly Cell[] }[];
}

/** `values` shape [rows], NaN = missing. */
export interface NumericColumn {
  kind: 'numeric';
  name: string;
  values: Float64Array;
}

/** `codes` shape [rows], index into `dictionary`, −1 = missing. */
export interface CategoricalColumn {
  kind: 'categorical';
  name: string;
  dictionary: readonly string[];
  codes: Int32Array;
}

export type TableColumn = NumericColumn | CategoricalColumn;

/** A table by typed columns, as it travels to the worker; the one form that encoders are fitted on and read. */
export interface ColumnTable {
  rows: number;
  columns: TableColumn[];
}

/** Typed columns of a raw table: numeric where every present cell is a number or a boolean, categorical otherwise. */
export function toColumnTable(table: RawTable): ColumnTable {
  return {
    rows: table.rows,
    columns: table.columns.map(({ name, values }) => toColumn(name, values, table.rows)),
  };
}

/** Typed columns of records; the columns are the union of the records' keys, sorted by name. */
export function tableOfRecords(records: readonly Readonly<Record<string, Cell>>[]): ColumnTable {
  const names = new Set<string>();
  for (const record of records) for (const name of Object.keys(record)) names.add(name);
  const columns = [...names].sort().map((name) => ({ name, values: records.map((record) => record[name]) }));
  return toColumnTable({ rows: records.length, columns });
}

/** The rows of a table at `indices`, in that order. */
export function takeRows(table: ColumnTable, indices: ArrayLike<number>): ColumnTable {
  const rows = indices.length;
  const columns = table.columns.map((column): TableColumn => {
    if (column.kind === 'numeric') {
      const values = Float64Array.from(
        { length: rows },
        (_, i) => column.values[indices[i] ?? 0] ?? Number.NaN,
      );
      return { ...column, values };
    }
    return {
      ...column,
      codes: Int32Array.from({ length: rows }, (_, i) => column.codes[indices[i] ?? 0] ?? -1),
    };
  });
  return { rows, columns };
}

/** Numbers of a column, NaN where missing; texts are read as numbers where they are written as plain decimals. */
export function numericView(column: TableColumn): Float64Array {
  if (column.kind === 'numeric') return column.values;
  const numbers = column.dictionary.map(readNumber);
  return Float64Array.from(column.codes, (code) => numbers[code] ?? Number.NaN);
}

/** Texts of a column by dictionary; a number becomes its shortest decimal form. */
export function categoricalView(column: TableColumn): CategoricalColumn {
  if (column.kind === 'categorical') return column;
  return toCategorical(
    column.name,
    Array.from(column.values, (value) => (Number.isFinite(value) ? value : null)),
    column.values.length,
  );
}

/** Whether every text that the column uses is a plain decimal without leading zeros (those are codes, not amounts). */
export function isNumericText(column: CategoricalColumn): boolean {
  const used = new Set(column.codes);
  used.delete(-1);
  return used.size > 0 && [...used].every((code) => !Number.isNaN(readNumber(column.dictionary[code] ?? '')));
}

function toColumn(name: string, values: readonly Cell[], rows: number): TableColumn {
  const isNumeric = values.every((value) => typeof value !== 'string' || value.trim() === '');
  if (!isNumeric) return toCategorical(name, values, rows);
  const numbers = Float64Array.from({ length: rows }, (_, i) => {
    const value = cellValue(values[i]);
    return typeof value === 'number' ? value : Number.NaN;
  });
  return { kind: 'numeric', name, values: numbers };
}

function toCategorical(name: string, values: readonly Cell[], rows: number): CategoricalColumn {
  const codeOf = new Map<string, number>();
  const codes = Int32Array.from({ length: rows }, (_, i) => {
    const value = cellValue(values[i]);
    if (value === null) return -1;
    const text = String(value);
    const known = codeOf.get(text);
    if (known !== undefined) return known;
    codeOf.set(text, codeOf.size);
    return codeOf.size - 1;
  });
  return { kind: 'categorical', name, dictionary: [...codeOf.keys()], codes };
}

function cellValue(cell: Cell): number | string | null {
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : null;
  if (typeof cell === 'string') return cell.trim() === '' ? null : cell;
  return null;
}

/** A plain decimal without leading zeros; NaN for any other text. */
export function readNumber(text: string): number {
  return /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
}
