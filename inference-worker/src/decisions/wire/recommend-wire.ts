import { DomainError } from '@sextant/domain';
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
  exclude: number[];
  first: number;
}

export interface RecommendRequest {
  rows: RecommendRow[];
  reasonsPerItem: number;
}

/** One recommended item; reasons are positions in the catalogue. */
export interface RankedItem {
  item: number;
  score: number;
  reasons: { item: number; contribution: number }[];
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

  writeItem(writer: WireWriter, { item, score, reasons }: RankedItem): void {
    const start = writer.begin(1);
    this.writeId(writer, item);
    writer.double(2, score);
    let residual = score;
    for (const reason of reasons) {
      const inner = writer.begin(3);
      this.writeId(writer, reason.item);
      writer.double(2, reason.contribution);
      writer.end(inner);
      residual -= reason.contribution;
    }
    writer.double(4, residual);
    writer.end(start);
  }

  private writeId(writer: WireWriter, item: number): void {
    writer.raw(this.idFields, this.starts[item] as number, this.starts[item + 1] as number);
  }

  private readRow(message: WireReader, row: number): RecommendRow {
    const read: RecommendRow = { history: [], exclude: [], first: 0 };
    const counts = { history: 0, exclude: 0 };
    while (message.next()) {
      if (message.field === 3) {
        read.first = message.uint32();
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
    if (read.first < 1 || read.first > MAX_SLATE)
      throw outOfRange(`rows[${row}].first`, `1..${MAX_SLATE}`, read.first);
    const longest = Math.max(counts.history, counts.exclude);
    if (longest > MAX_ITEM_IDS)
      throw outOfRange(`rows[${row}].history and exclude`, `at most ${MAX_ITEM_IDS} items long`, longest);
    return read;
  }
}

function outOfRange(path: string, range: string, actual: number): DomainError {
  return new DomainError('INVALID_INPUT', `${path} must be ${range}, got ${actual}`, { path });
}
