import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { DomainError } from '@sextant/domain';
import { csvRows } from '../source/rows.js';
import { openSource, type SourceFile, sourceError } from '../source/source-file.js';
import { instants } from './instants.js';
import { isMissing } from './missing-cell.js';
import { sniffDelimiter } from './sniff-delimiter.js';
import { writtenNumbers } from './written-numbers.js';

const SNIFFED_BYTES = 64 * 1024;

/** A whole CSV file (plain or `.gz`) by column, every cell as text without surrounding blanks. */
export class CsvFile {
  private constructor(
    readonly name: string,
    readonly header: readonly string[],
    readonly rows: number,
    private readonly byName: ReadonlyMap<string, readonly string[]>,
  ) {}

  /**
   * @param delimiter  read from the first rows when absent: comma, semicolon, tab or bar
   * @throws DomainError IMPORT_SOURCE_INVALID when the file is missing, empty, no UTF-8, has a ragged row or two columns of one name
   */
  static async read(path: string, delimiter?: string): Promise<CsvFile> {
    const cells = new Map<string, string[]>();
    const rows = await readCsv(path, delimiter, {
      onHeader: (header) => {
        for (const column of header) cells.set(column, []);
      },
      onCell: (column, text) => void cells.get(column)?.push(text),
    });
    return new CsvFile(basename(path), [...cells.keys()], rows, cells);
  }

  has(column: string): boolean {
    return this.byName.has(column);
  }

  /**
   * The cells as they stand, shape [rows]; '' = missing.
   *
   * @throws DomainError INVALID_INPUT naming the columns there are
   */
  texts(column: string): readonly string[] {
    const values = this.byName.get(column);
    if (values) return values;
    throw new DomainError(
      'INVALID_INPUT',
      `${this.name} has no column "${column}"; it has ${this.header.map((each) => `"${each}"`).join(', ')}`,
      { path: column },
    );
  }

  /** The cells; amounts such as `$1,234.50`, `12 %` or `1.234,50` as plain decimals where the whole column is of them. */
  cells(column: string): readonly string[] {
    return decimals(this.texts(column), column);
  }

  /** Shape [rows], NaN = missing. @throws DomainError INVALID_INPUT naming the first cell that is no number */
  numbers(column: string): Float64Array {
    const texts = this.texts(column);
    return Float64Array.from(writtenNumbers(texts, column) ?? texts, (text, row) => {
      if (isMissing(text)) return Number.NaN;
      const value = Number(text);
      if (Number.isNaN(value)) throw this.badCell(column, row, `is no number`);
      return value;
    });
  }

  /**
   * Shape [rows]: milliseconds since 1970 where the cells are dates or date-times, ISO or all with the day or all with the month first,
   * the numbers themselves where every cell is one (a week number, a Unix time): good for order.
   *
   * @throws DomainError INVALID_INPUT naming the first cell that is neither, or is missing
   */
  times(column: string): Float64Array {
    const texts = this.texts(column);
    const areNumbers = texts.every((text) => isMissing(text) || Number.isFinite(Number(text)));
    const values = areNumbers
      ? Float64Array.from(texts, (text) => (isMissing(text) ? Number.NaN : Number(text)))
      : instants(texts);
    const bad = values.findIndex(Number.isNaN);
    if (bad < 0) return values;
    const what = isMissing(texts[bad] ?? '')
      ? 'is missing: leave such rows out, or do not name the column'
      : 'is no date like 2026-01-31 or 31.01.2026, nor a number; where day and month could change places, write 2026-01-31';
    throw this.badCell(column, bad, what);
  }

  private badCell(column: string, row: number, what: string): DomainError {
    const cell = this.byName.get(column)?.[row] ?? '';
    return new DomainError(
      'INVALID_INPUT',
      `${this.name} row ${row + 1}: "${cell.slice(0, 40)}" in column "${column}" ${what}`,
      { path: column },
    );
  }
}

export interface CsvListener {
  onHeader: (columns: readonly string[]) => void;
  /** row by row, in the order of the header; without surrounding blanks */
  onCell: (column: string, text: string) => void;
}

/**
 * Reads a CSV file (plain or `.gz`) without keeping it. @returns its rows
 *
 * @param delimiter  read from the first rows when absent: comma, semicolon, tab or bar
 * @throws DomainError IMPORT_SOURCE_INVALID when the file is missing, empty, no UTF-8, has a ragged row or two columns of one name
 */
export async function readCsv(
  path: string,
  delimiter: string | undefined,
  { onHeader, onCell }: CsvListener,
): Promise<number> {
  const name = basename(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw invalid(`there is no file ${path}: give the path of a CSV file`);
  const file = { name, path, bytes: found.size };
  let rows = 0;
  try {
    const checkedHeader = (header: readonly string[]): void => {
      const twice = header.find((column, i) => header.indexOf(column) !== i);
      if (twice !== undefined) throw invalid(`${name} has two columns named "${twice}": rename one`);
      onHeader(header);
    };
    const options = { name, delimiter: delimiter ?? (await delimiterOf(file)), onHeader: checkedHeader };
    for await (const read of csvRows(checkedText(file), options)) {
      if ('error' in read) throw invalid(`${name} row ${read.number}: ${read.error.message}`);
      for (const [column, cell] of read.row.cells) onCell(column, String(cell ?? '').trim());
      rows += 1;
    }
  } catch (error) {
    throw sourceError(error, file);
  }
  if (rows === 0) throw invalid(`${name} has a header and no rows`);
  return rows;
}

/** As they are where the column is not of amounts, or could be read in two ways, which `onDoubt` is told. */
export function decimals(
  texts: readonly string[],
  column: string,
  onDoubt: (message: string) => void = () => undefined,
): readonly string[] {
  try {
    return writtenNumbers(texts, column) ?? texts;
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    onDoubt(error.message);
    return texts;
  }
}

async function delimiterOf(file: SourceFile): Promise<string> {
  let text = '';
  const source = openSource(file);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length >= SNIFFED_BYTES) break;
    }
  } finally {
    source.destroy();
  }
  return sniffDelimiter(text);
}

/** The bytes of the file, as long as they are UTF-8: other letters would all become one and the same. */
function checkedText(file: SourceFile): Readable {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const isText = (chunk: Buffer | undefined): Error | null => {
    try {
      decoder.decode(chunk, { stream: chunk !== undefined });
      return null;
    } catch {
      return invalid(
        `${file.name} is no UTF-8 text: save it as UTF-8 (CSV UTF-8 in a spreadsheet, or iconv -f WINDOWS-1252 -t UTF-8)`,
      );
    }
  };
  const check = new Transform({
    transform: (chunk: Buffer, _, done) => done(isText(chunk), chunk),
    flush: (done) => done(isText(undefined)),
  });
  const source = openSource(file);
  source.on('error', (error) => check.destroy(error));
  check.on('close', () => source.destroy());
  return source.pipe(check);
}

function invalid(message: string): DomainError {
  return new DomainError('IMPORT_SOURCE_INVALID', message);
}
