import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Numbers of one column that wait for their neighbours: 16 KiB. */
const CHUNK = 2_048;
const BYTES = Float64Array.BYTES_PER_ELEMENT;

interface SpooledColumn {
  waiting: Float64Array;
  count: number;
  /** where its chunks stand in the file */
  chunks: number[];
}

/** Numbers by column, of more rows than memory holds: full chunks go to a file in the folder for temporary files. */
export class NumberSpool {
  private readonly columns = new Map<string, SpooledColumn>();
  private file: { folder: string; descriptor: number; end: number } | null = null;

  add(column: string, value: number): void {
    const own = this.columns.get(column) ?? { waiting: new Float64Array(CHUNK), count: 0, chunks: [] };
    if (own.count === 0) this.columns.set(column, own);
    own.waiting[own.count % CHUNK] = value;
    own.count += 1;
    if (own.count % CHUNK === 0) this.spill(own);
  }

  /** All numbers of a column, in the order in which they came. */
  read(column: string): Float64Array {
    const own = this.columns.get(column);
    if (own === undefined) return new Float64Array(0);
    const values = new Float64Array(own.count);
    for (const [i, position] of own.chunks.entries()) this.readChunk(position, values, i * CHUNK);
    values.set(own.waiting.subarray(0, own.count % CHUNK), own.chunks.length * CHUNK);
    return values;
  }

  drop(column: string): void {
    this.columns.delete(column);
  }

  /** The file is gone afterwards. */
  close(): void {
    this.columns.clear();
    if (this.file === null) return;
    closeSync(this.file.descriptor);
    rmSync(this.file.folder, { recursive: true, force: true });
    this.file = null;
  }

  private spill(column: SpooledColumn): void {
    const file = (this.file ??= opened());
    const bytes = new Uint8Array(column.waiting.buffer);
    for (let done = 0; done < bytes.length;)
      done += writeSync(file.descriptor, bytes, done, bytes.length - done, file.end + done);
    column.chunks.push(file.end);
    file.end += bytes.length;
  }

  private readChunk(position: number, values: Float64Array, from: number): void {
    if (this.file === null) throw new Error('a chunk was written, so there is a file');
    const bytes = new Uint8Array(values.buffer, from * BYTES, CHUNK * BYTES);
    for (let done = 0; done < bytes.length;) {
      const read = readSync(this.file.descriptor, bytes, done, bytes.length - done, position + done);
      if (read === 0) throw new Error('the file of spooled numbers ends too early');
      done += read;
    }
  }
}

function opened(): { folder: string; descriptor: number; end: number } {
  const folder = mkdtempSync(join(tmpdir(), 'sextant-drift-'));
  return { folder, descriptor: openSync(join(folder, 'numbers'), 'w+'), end: 0 };
}
