import { DomainError } from '@sextant/domain';
import type { StrongestSources } from '@sextant/learning/recommend';
import { TextIndex } from './text-index.js';
import type { WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const MAX_SLATE = 100;
const MAX_REASONS = 20;
const MAX_ITEM_IDS = 10_000;

/** `RecommendRow` with the catalogue's positions in the place of ids; ids that it lacks are left out. */
export interface RecommendRow {
  /** oldest first */
  history: number[];
  /** ids that came, also of items that the catalogue lacks */
  historyItems: number;
  exclude: number[];
  first: number;
  /** how its scores are to be summed; see {@link SUMS} */
  sums: number;
}

/** How scores are summed, as a slate says it and a row may ask for it; 0: whichever way is faster. */
export const SUMS = { ALONG_HISTORY: 1, BY_PRODUCT: 2 } as const;

export interface RecommendRequest {
  rows: RecommendRow[];
  reasonsPerItem: number;
}

/** Why items are recommended: of the i-th one the reasons are the i-th row. */
export interface SlateReasons extends StrongestSources {
  /** most reasons of an item, the width of a row */
  top: number;
  /** position in the catalogue of each source */
  items: ArrayLike<number>;
}

/** Reads and writes messages about the items of one catalogue. */
export class CatalogueWire {
  private readonly index: TextIndex;
  /** the field `string … = 1` of every item, one after the other: an item and a reason carry their id in the same one */
  private readonly idFields: Uint8Array;
  private readonly starts: Int32Array;

  /** @param items  ids, distinct */
  constructor(items: readonly string[]) {
    this.index = new TextIndex(items);
    const writer = new WireWriter();
    this.starts = new Int32Array(items.length + 1);
    items.forEach((item, i) => {
      writer.text(1, item);
      this.starts[i + 1] = writer.length;
    });
    this.idFields = writer.written().slice();
  }

  /**
   * @param firstRow  of the caller's request, for errors
   * @throws DomainError INVALID_INPUT naming the row and the field that is out of range
   */
  read(request: WireReader, firstRow: number): RecommendRequest {
    const read: RecommendRequest = { rows: [], reasonsPerItem: 0 };
    while (request.next()) {
      if (request.field === 3) read.rows.push(this.readRow(request.message(), firstRow + read.rows.length));
      else if (request.field === 4) read.reasonsPerItem = request.uint32();
      else request.skip();
    }
    if (read.reasonsPerItem > MAX_REASONS)
      throw outOfRange('reasons_per_item', `0..${MAX_REASONS}`, read.reasonsPerItem);
    return read;
  }

  /** Writes the i-th item of a slate. */
  writeItem(
    writer: WireWriter,
    { item, score }: { item: number; score: number },
    { i, reasons }: { i: number; reasons: SlateReasons | null },
  ): void {
    const start = writer.begin(1);
    this.writeId(writer, item);
    writer.double(2, score);
    writer.double(4, reasons === null ? score : score - this.writeReasons(writer, reasons, i));
    writer.end(start);
  }

  /** @returns what the reasons add up to */
  private writeReasons(writer: WireWriter, reasons: SlateReasons, i: number): number {
    const { top, items, sources, contributions, counts } = reasons;
    const count = counts[i] as number;
    let sum = 0;
    for (let at = i * top; at < i * top + count; at++) {
      const contribution = contributions[at] as number;
      const inner = writer.begin(3);
      this.writeId(writer, items[sources[at] as number] as number);
      writer.double(2, contribution);
      writer.end(inner);
      sum += contribution;
    }
    return sum;
  }

  private writeId(writer: WireWriter, item: number): void {
    writer.raw(this.idFields, this.starts[item] as number, this.starts[item + 1] as number);
  }

  private readRow(message: WireReader, row: number): RecommendRow {
    const read: RecommendRow = { history: [], historyItems: 0, exclude: [], first: 0, sums: 0 };
    const counts = { history: 0, exclude: 0 };
    while (message.next()) {
      if (message.field === 3 || message.field === 4) {
        read[message.field === 3 ? 'first' : 'sums'] = message.uint32();
        continue;
      }
      const list = message.field === 1 ? 'history' : message.field === 2 ? 'exclude' : null;
      if (list === null) {
        message.skip();
        continue;
      }
      counts[list] += 1;
      const item = this.index.find(message.bytes, message.span(), message.position);
      if (item >= 0) read[list].push(item);
    }
    read.historyItems = counts.history;
    if (read.first < 1 || read.first > MAX_SLATE)
      throw outOfRange(`rows[${row}].first`, `1..${MAX_SLATE}`, read.first);
    if (read.sums > SUMS.BY_PRODUCT) throw outOfRange(`rows[${row}].sums`, '0..2', read.sums);
    const longest = Math.max(counts.history, counts.exclude);
    if (longest > MAX_ITEM_IDS)
      throw outOfRange(`rows[${row}].history and exclude`, `at most ${MAX_ITEM_IDS} items long`, longest);
    return read;
  }
}

function outOfRange(path: string, range: string, actual: number): DomainError {
  return new DomainError('INVALID_INPUT', `${path} must be ${range}, got ${actual}`, { path });
}
