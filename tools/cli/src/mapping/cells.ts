import type { ColumnMapping, FileMapping, ValueType } from './mapping-schema.js';
import { type Row, RowError } from './row.js';

export type Scalar = string | number | boolean;

const TRUE = new Set(['true', 'yes', '1', 't', 'y']);
const FALSE = new Set(['false', 'no', '0', 'f', 'n']);

/** Reads the cells of one file's rows: knows its missing-value tokens, types and dropped columns. */
export class Cells {
  private readonly missing: ReadonlySet<string>;
  private readonly columns: ReadonlyMap<string, ColumnMapping & { tokens: ReadonlySet<string> }>;

  constructor(file: Pick<FileMapping, 'missing' | 'columns'>) {
    this.missing = new Set(file.missing);
    this.columns = new Map(
      Object.entries(file.columns).map(([name, column]) => [
        name,
        { ...column, tokens: new Set(column.missing) },
      ]),
    );
  }

  isDropped(column: string): boolean {
    return this.columns.get(column)?.drop ?? false;
  }

  /** The cell as text; null when it is missing. @throws RowError when it holds a list or a block */
  text(row: Row, column: string, alsoMissing?: ReadonlySet<string>): string | null {
    const cell = row.cells.get(column);
    if (cell === undefined || cell === null) return null;
    if (typeof cell === 'object')
      throw new RowError(column, `column ${column} must hold one value, not a list or a block`);
    const text = typeof cell === 'string' ? cell.trim() : String(cell);
    if (this.missing.has(text) || alsoMissing?.has(text)) return null;
    return this.columns.get(column)?.tokens.has(text) ? null : text;
  }

  /** The cell in its type; null when it is missing. @throws RowError when it does not fit */
  value(
    row: Row,
    column: string,
    { type, missing }: { type?: ValueType | undefined; missing?: ReadonlySet<string> | undefined } = {},
  ): Scalar | null {
    const text = this.text(row, column, missing);
    return text === null ? null : convert(text, type ?? this.columns.get(column)?.type ?? 'string', column);
  }
}

function convert(text: string, type: ValueType, column: string): Scalar {
  if (type === 'string') return text;
  if (type === 'number') return finite(text, column);
  if (type === 'decimal') return decimal(text, column);
  const lower = text.toLowerCase();
  if (TRUE.has(lower)) return true;
  if (FALSE.has(lower)) return false;
  throw new RowError(column, `column ${column} must be true/false, yes/no or 1/0, got "${shorten(text)}"`);
}

export function finite(text: string, column: string): number {
  const number = Number(text);
  if (/\d/.test(text) && Number.isFinite(number)) return number;
  throw new RowError(column, `column ${column} must be a number, got "${shorten(text)}"`);
}

/** A decimal in plain digits, kept exactly as written: money never passes through floating point. */
function decimal(text: string, column: string): string {
  const match = /^([+-]?)(\d+|(?=\.\d))(?:\.(\d*))?$/.exec(text);
  if (!match)
    throw new RowError(column, `column ${column} must be a decimal such as 12.90, got "${shorten(text)}"`);
  const whole = (match[2] ?? '').replace(/^0+(?=\d)/, '') || '0';
  return `${match[1] === '-' ? '-' : ''}${whole}${match[3] ? `.${match[3]}` : ''}`;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
