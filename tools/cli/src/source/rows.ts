import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { DomainError } from '@sextant/domain';
import { CsvError, parse } from 'csv-parse';
import { type Row, RowError } from '../mapping/row.js';

const MAX_LINE_CHARACTERS = 8 * 1024 * 1024;

/** A row, or what is wrong with it. */
export type ReadRow = { row: Row } | { number: number; error: RowError };

export interface NumberedLine {
  number: number;
  text: string;
}

/** The lines that are not blank; line numbers count data rows, so blank lines do not count. */
export async function* lines(stream: Readable, name: string): AsyncGenerator<NumberedLine> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let number = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) {
      throw new DomainError(
        'IMPORT_SOURCE_INVALID',
        `${name} row ${number + 1} is longer than ${MAX_LINE_CHARACTERS} characters: is it NDJSON?`,
      );
    }
    for (const part of parts) {
      const text = part.trim();
      if (text !== '') yield { number: ++number, text };
    }
  }
  const last = (rest + decoder.end()).trim();
  if (last !== '') yield { number: number + 1, text: last };
}

export async function* ndjsonRows(stream: Readable, name: string): AsyncGenerator<ReadRow> {
  for await (const { number, text } of lines(stream, name)) {
    const cells = parseCells(text);
    yield cells
      ? { row: { number, cells } }
      : { number, error: new RowError('', 'the line is no JSON object') };
  }
}

function parseCells(text: string): Map<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? new Map(Object.entries(parsed))
      : null;
  } catch {
    return null;
  }
}

/**
 * @param onHeader  told the column names before the first row; may throw
 * @throws DomainError IMPORT_SOURCE_INVALID when there is no header, or quoting is broken
 */
export async function* csvRows(
  stream: Readable,
  {
    name,
    delimiter,
    onHeader,
  }: { name: string; delimiter: string; onHeader: (columns: readonly string[]) => void },
): AsyncGenerator<ReadRow> {
  const parser = parse({ delimiter, bom: true, relax_column_count: true, skip_empty_lines: true });
  stream.on('error', (error) => parser.destroy(error));
  stream.pipe(parser);
  let header: readonly string[] | null = null;
  let number = 0;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      if (header === null) {
        header = record.map((column) => column.trim());
        onHeader(header);
        continue;
      }
      yield readRecord(record, header, ++number);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new DomainError('IMPORT_SOURCE_INVALID', `${name} row ${number + 1}: ${error.message}`, {
      cause: error,
    });
  } finally {
    stream.destroy();
  }
  if (header === null)
    throw new DomainError('IMPORT_SOURCE_INVALID', `${name} is empty: a CSV file begins with a header`);
}

function readRecord(record: readonly string[], header: readonly string[], number: number): ReadRow {
  if (record.length !== header.length) {
    return {
      number,
      error: new RowError('', `the row has ${record.length} columns, the header ${header.length}`),
    };
  }
  return { row: { number, cells: new Map(header.map((column, index) => [column, record[index]])) } };
}
