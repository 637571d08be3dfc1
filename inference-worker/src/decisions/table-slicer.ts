import { DomainError } from '@sextant/domain';
import { mismatch } from './programs/feature-table.js';
import { SpanList, textOf, type WireReader } from './wire/wire-reader.js';
import type { WireWriter } from './wire/wire-writer.js';

/** Bounds on what a hostile table may make the main thread walk over. */
const MAX_COLUMNS = 10_000;
const MAX_TEXTS = 1_000_000;
/** A dictionary of so few texts goes into every slice as it is; of a longer one only the texts that the slice names. */
const SHORT_DICTIONARY = 64;
const MISSING = -1;
/** A code that the thread refuses, whatever the dictionary. */
const OUTSIDE = -2;
const UNNAMED = -1;

interface Column {
  name: Uint8Array;
  /** float64 or int32, little-endian, one a row */
  values: Uint8Array;
  /** null for numbers; the field of each text in the message */
  texts: SpanList | null;
}

/** A `FeatureTable` of which any rows can be written as a table of their own, without decoding it. */
export class TableSlicer {
  rows = 0;
  private readonly columns: Column[] = [];
  private texts = 0;
  private names = new Int32Array();

  private constructor(
    private readonly message: Uint8Array,
    private readonly path: string,
  ) {}

  /**
   * @param path  names the table in errors
   * @throws DomainError FEATURE_VECTOR_MISMATCH when a column is not as long as the table, INVALID_INPUT for bytes that are no table
   */
  static read(message: WireReader, path: string): TableSlicer {
    const table = new TableSlicer(message.bytes, path);
    while (message.next()) {
      if (message.field === 1) table.rows = message.uint32();
      else if (message.field === 2) table.add(message.message(), null);
      else if (message.field === 3) table.add(message.message(), new SpanList());
      else message.skip();
    }
    for (const column of table.columns) table.assertLength(column);
    return table;
  }

  /** Writes rows [from, from + count) as a field of a message. */
  write(writer: WireWriter, field: number, { from, count }: { from: number; count: number }): void {
    const start = writer.begin(field);
    writer.uint32(1, count);
    for (const { name, values, texts } of this.columns) {
      const width = texts === null ? 8 : 4;
      const own = values.subarray(from * width, (from + count) * width);
      const column = writer.begin(texts === null ? 2 : 3);
      writer.data(1, name);
      if (texts === null) writer.data(2, own);
      else this.writeTexts(writer, texts, own);
      writer.end(column);
    }
    writer.end(start);
  }

  private add(message: WireReader, texts: SpanList | null): void {
    const column: Column = { name: new Uint8Array(), values: new Uint8Array(), texts };
    const valuesField = texts === null ? 2 : 3;
    while (message.next()) {
      if (message.field === 1) column.name = message.data();
      else if (message.field === valuesField) column.values = message.data();
      else if (message.field === 2 && texts !== null) message.spansOfSame(texts);
      else message.skip();
    }
    this.texts += texts?.length ?? 0;
    if (this.texts > MAX_TEXTS) throw this.tooLarge(`${MAX_TEXTS} texts in its dictionaries`);
    if (this.columns.length === MAX_COLUMNS) throw this.tooLarge(`${MAX_COLUMNS} columns`);
    this.columns.push(column);
  }

  /** Of a long dictionary the slice gets the texts that its rows name, in their order of appearance. */
  private writeTexts(writer: WireWriter, texts: SpanList, codes: Uint8Array): void {
    const size = texts.length;
    if (size <= SHORT_DICTIONARY) {
      for (let code = 0; code < size; code++) this.writeText(writer, texts, code);
      writer.data(3, codes);
      return;
    }
    const renamed = this.renaming(size);
    const view = new DataView(codes.buffer, codes.byteOffset, codes.byteLength);
    const written = new Int32Array(codes.byteLength / 4);
    let named = 0;
    for (let row = 0; row < written.length; row++) {
      const code = view.getInt32(4 * row, true);
      if (code < 0 || code >= size) {
        written[row] = code === MISSING ? MISSING : OUTSIDE;
        continue;
      }
      if (renamed[code] === UNNAMED) {
        renamed[code] = named++;
        this.writeText(writer, texts, code);
      }
      written[row] = renamed[code] as number;
    }
    writer.data(3, new Uint8Array(written.buffer));
  }

  /** Memory for the new names of a dictionary's texts, all unnamed. */
  private renaming(size: number): Int32Array {
    if (this.names.length < size) this.names = new Int32Array(size);
    return this.names.subarray(0, size).fill(UNNAMED);
  }

  private writeText(writer: WireWriter, texts: SpanList, code: number): void {
    writer.raw(this.message, texts.start(code), texts.end(code));
  }

  private assertLength({ name, values, texts }: Column): void {
    const wanted = (texts === null ? 8 : 4) * this.rows;
    if (values.length === wanted) return;
    const where = `${this.path}.${texts === null ? 'numeric' : 'categorical'}["${textOf(name)}"]`;
    throw mismatch(where, `needs ${wanted} bytes, got ${values.length}`);
  }

  private tooLarge(most: string): DomainError {
    return new DomainError('INVALID_INPUT', `${this.path} may hold ${most}; send several requests`, {
      path: this.path,
    });
  }
}
