import type { FeatureTable } from './decisions-messages.js';

export type FeatureCell = number | string | boolean | null;

/**
 * Turns rows into the columns that travel. A column with a text in any row is categorical (numbers in it become text);
 * otherwise it is numeric. True counts as 1, false as 0. Null, blank text, non-finite numbers and a key that a row lacks are
 * missing; a column without any value is left out, which the model reads as missing throughout.
 */
export function toFeatureTable(rows: readonly Readonly<Record<string, FeatureCell>>[]): FeatureTable {
  const names = new Set<string>();
  // No list of a row's keys is made on the way: together they would be as long as the table has cells.
  for (const row of rows) for (const name in row) if (Object.hasOwn(row, name)) names.add(name);
  const table: FeatureTable = { rows: rows.length, numeric: [], categorical: [] };
  for (const name of names) addColumn(table, name, (i) => rows[i]?.[name] ?? null);
  return table;
}

/**
 * Adds one column to a table of `table.rows` rows, by the rules of {@link toFeatureTable}.
 *
 * @param cellOf  the cell of a row, from 0; asked twice where the column turns out to be categorical
 */
export function addColumn(table: FeatureTable, name: string, cellOf: (row: number) => FeatureCell): void {
  const values = new Float64Array(table.rows);
  let isEmpty = true;
  for (let row = 0; row < table.rows; row += 1) {
    const cell = presentValue(cellOf(row));
    if (typeof cell === 'string') {
      const cells = Array.from(values, (_, i) => presentValue(cellOf(i)));
      table.categorical.push(categoricalColumn(name, cells));
      return;
    }
    values[row] = cell ?? Number.NaN;
    if (cell !== null) isEmpty = false;
  }
  if (!isEmpty) table.numeric.push({ name, values: float64Bytes(values) });
}

function presentValue(cell: FeatureCell): number | string | null {
  if (typeof cell === 'boolean') return cell ? 1 : 0;
  if (typeof cell === 'string') return cell.trim() === '' ? null : cell;
  return Number.isFinite(cell) ? cell : null;
}

function categoricalColumn(
  name: string,
  cells: readonly (number | string | null)[],
): FeatureTable['categorical'][number] {
  const codeOf = new Map<string, number>();
  const codes = Int32Array.from(cells, (cell) => {
    if (cell === null) return -1;
    const text = String(cell);
    const code = codeOf.get(text) ?? codeOf.size;
    codeOf.set(text, code);
    return code;
  });
  return { name, dictionary: [...codeOf.keys()], codes: Buffer.from(codes.buffer) };
}

/** The bytes of a column on the wire: float64, little-endian (as on every platform that Node runs on but s390x). */
export function float64Bytes(values: Float64Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

/** @throws RangeError when the byte length is no multiple of 8 */
export function readFloat64(bytes: Uint8Array): Float64Array {
  return new Float64Array(alignedCopy(bytes, 8));
}

/** @throws RangeError when the byte length is no multiple of 4 */
export function readInt32(bytes: Uint8Array): Int32Array {
  return new Int32Array(alignedCopy(bytes, 4));
}

function alignedCopy(bytes: Uint8Array, width: number): ArrayBuffer {
  if (bytes.byteLength % width !== 0)
    throw new RangeError(`expected a multiple of ${width} bytes, got ${bytes.byteLength}`);
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}
