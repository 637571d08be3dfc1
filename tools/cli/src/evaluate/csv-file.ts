import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { DomainError } from '@sextant/domain';
import { csvRows } from '../source/rows.js';
import { openSource, sourceError } from '../source/source-file.js';

const MISSING = new Set(['', 'NA', 'NaN', 'nan', 'null', 'NULL', 'None']);

/** A whole CSV file (plain or `.gz`) by column, every cell as text without surrounding blanks. */
export class CsvFile {
  private constructor(
    readonly name: string,
    readonly header: readonly string[],
    readonly rows: number,
    private readonly cells: ReadonlyMap<string, readonly string[]>,
  ) {}

  /**
   * @param delimiter  `,` when absent
   * @throws DomainError IMPORT_SOURCE_INVALID when the file is missing, empty, has a ragged row or two columns of one name
   */
  static async read(path: string, delimiter = ','): Promise<CsvFile> {
    const name = basename(path);
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found?.isFile()) throw invalid(`there is no file ${path}: give the path of a CSV file`);
    const cells = new Map<string, string[]>();
    const file = { name, path, bytes: found.size };
    let rows = 0;
    try {
      const onHeader = (header: readonly string[]): void => {
        for (const column of header) {
          if (cells.has(column)) throw invalid(`${name} has two columns named "${column}": rename one`);
          cells.set(column, []);
        }
      };
      for await (const read of csvRows(openSource(file), { name, delimiter, onHeader })) {
        if ('error' in read) throw invalid(`${name} row ${read.number}: ${read.error.message}`);
        for (const [column, cell] of read.row.cells) cells.get(column)?.push(String(cell ?? '').trim());
        rows += 1;
      }
    } catch (error) {
      throw sourceError(error, file);
    }
    if (rows === 0) throw invalid(`${name} has a header and no rows`);
    return new CsvFile(name, [...cells.keys()], rows, cells);
  }

  has(column: string): boolean {
    return this.cells.has(column);
  }

  /**
   * The cells as they stand, shape [rows]; '' = missing.
   *
   * @throws DomainError INVALID_INPUT naming the columns there are
   */
  texts(column: string): readonly string[] {
    const values = this.cells.get(column);
    if (values) return values;
    throw new DomainError(
      'INVALID_INPUT',
      `${this.name} has no column "${column}"; it has ${this.header.map((each) => `"${each}"`).join(', ')}`,
      { path: column },
    );
  }

  /** Shape [rows], NaN = missing. @throws DomainError INVALID_INPUT naming the first cell that is no number */
  numbers(column: string): Float64Array {
    return Float64Array.from(this.texts(column), (text, row) => {
      if (isMissing(text)) return Number.NaN;
      const value = Number(text);
      if (Number.isNaN(value)) throw this.badCell(column, row, `is no number`);
      return value;
    });
  }

  /**
   * Shape [rows]: milliseconds since 1970 where the cells are ISO dates or date-times, the numbers themselves where every cell is
   * one (a week number, a Unix time): good for order.
   *
   * @throws DomainError INVALID_INPUT naming the first cell that is neither, or is missing
   */
  times(column: string): Float64Array {
    const texts = this.texts(column);
    const areNumbers = texts.every((text) => !isMissing(text) && Number.isFinite(Number(text)));
    return Float64Array.from(texts, (text, row) => {
      const value = areNumbers ? Number(text) : isoTime(text);
      if (Number.isNaN(value))
        throw this.badCell(column, row, 'is no ISO date like 2026-01-31, nor a number');
      return value;
    });
  }

  private badCell(column: string, row: number, what: string): DomainError {
    const cell = this.cells.get(column)?.[row] ?? '';
    return new DomainError(
      'INVALID_INPUT',
      `${this.name} row ${row + 1}: "${cell.slice(0, 40)}" in column "${column}" ${what}`,
      { path: column },
    );
  }
}

/** Empty, or one of the usual words for it. */
export function isMissing(text: string): boolean {
  return MISSING.has(text);
}

/** Dates without a zone are read as UTC. */
function isoTime(text: string): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/.exec(
    text,
  );
  if (!match) return Number.NaN;
  const [, day, time = '00:00:00', zone = 'Z'] = match;
  const at = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(at) || !isCalendarDay(day ?? '') ? Number.NaN : at;
}

function isCalendarDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}

function invalid(message: string): DomainError {
  return new DomainError('IMPORT_SOURCE_INVALID', message);
}
