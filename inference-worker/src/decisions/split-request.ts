import { DomainError } from '@sextant/domain';
import type { Rpc } from './programs/decision-program.js';
import { CUSTOMER_COLUMNS } from './programs/value-program.js';
import { TableSlicer } from './table-slicer.js';
import { SpanList, WireReader } from './wire/wire-reader.js';
import { WireWriter } from './wire/wire-writer.js';

const CUSTOMER_BYTES = 8 * CUSTOMER_COLUMNS;

/** A request as far as the main thread reads it: whom it is for, and where its rows are. */
export interface SplitRequest {
  model: string;
  version: string;
  rows: number;
  explain: boolean;
  /** wanted of each recommended item */
  reasons: number;
  /** bytes of the message, which lives as long as rows of it wait */
  bytes: number;
  /** Writes a request message of the same call that holds rows [from, from + count) only. */
  writeSlice(writer: WireWriter, range: { from: number; count: number }, explain: boolean): void;
}

/** Where the rows of a request are. */
interface Rows {
  count: number;
  write(writer: WireWriter, from: number, count: number): void;
}

/** What is written into every slice as it came. */
interface Head {
  model: string;
  version: string;
  /** number of reasons, `reasons_per_item` */
  reasons: number;
  explain: boolean;
  /** of each attribution, `top_contributions` */
  contributions: number;
}

/**
 * Looks for the rows of a request without decoding them, so that the largest request costs the main thread no more than a walk over
 * its fields.
 *
 * @param mostRows  more are refused before they are looked at
 * @throws DomainError INVALID_INPUT for bytes that are no request, BATCH_TOO_LARGE, FEATURE_VECTOR_MISMATCH where lengths differ
 */
export function splitRequest(rpc: Rpc, bytes: Uint8Array, mostRows: number): SplitRequest {
  const head: Head = { model: '', version: '', reasons: 0, explain: false, contributions: 0 };
  const rows = ROWS_OF[rpc](new WireReader(bytes), head, mostRows);
  return {
    model: head.model,
    version: head.version,
    rows: rows.count,
    explain: head.explain,
    reasons: head.reasons,
    bytes: bytes.length,
    writeSlice: (writer, { from, count }, explain) => {
      if (rpc === 'Recommend') writer.uint32(4, head.reasons);
      else if (rpc === 'QuotePrices') writer.bool(5, explain);
      else if (rpc === 'ScoreLeads') writeScoreHead(writer, explain, head);
      rows.write(writer, from, count);
    },
  };
}

const ROWS_OF: Record<Rpc, (request: WireReader, head: Head, mostRows: number) => Rows> = {
  Recommend: (request, head, mostRows) => {
    const rows = new RowMessages(mostRows);
    while (request.next()) {
      if (request.field === 3) rows.add(request);
      else if (request.field === 4) head.reasons = request.uint32();
      else readName(request, head);
    }
    return rows;
  },
  QuotePrices: (request, head, mostRows) => {
    const rows = new RowMessages(mostRows);
    let context: TableSlicer | null = null;
    while (request.next()) {
      if (request.field === 3) rows.add(request);
      else if (request.field === 4) context = TableSlicer.read(request.message(), 'context');
      else if (request.field === 5) head.explain = request.bool();
      else readName(request, head);
    }
    return context === null ? rows : withContext(rows, context);
  },
  PredictDemand: (request, head) => tableRows(request, head),
  ScoreLeads: (request, head) => tableRows(request, head, { explain: 4, contributions: 5 }),
  ChooseActions: (request, head) => tableRows(request, head),
  ForecastValue: (request, head) => {
    let customers = new Uint8Array();
    while (request.next()) {
      if (request.field === 3) customers = request.data() as Uint8Array<ArrayBuffer>;
      else readName(request, head);
    }
    return customerRows(customers);
  },
};

function readName(request: WireReader, head: Head): void {
  if (request.field === 1) head.model = request.text();
  else if (request.field === 2) head.version = request.text();
  else request.skip();
}

function writeScoreHead(writer: WireWriter, explain: boolean, { contributions }: Head): void {
  writer.bool(4, explain);
  writer.uint32(5, contributions);
}

/** @param fields  where a call has them */
function tableRows(
  request: WireReader,
  head: Head,
  fields: { explain?: number; contributions?: number } = {},
): Rows {
  let table: TableSlicer | null = null;
  while (request.next()) {
    if (request.field === 3) table = TableSlicer.read(request.message(), 'rows');
    else if (request.field === fields.explain) head.explain = request.bool();
    else if (request.field === fields.contributions) head.contributions = request.uint32();
    else readName(request, head);
  }
  if (table === null) throw new DomainError('INVALID_INPUT', 'rows is missing', { path: 'rows' });
  const found = table;
  return {
    count: found.rows,
    write: (writer, from, count) => found.write(writer, 3, { from, count }),
  };
}

function withContext(rows: Rows, context: TableSlicer): Rows {
  if (context.rows !== rows.count) {
    throw new DomainError(
      'FEATURE_VECTOR_MISMATCH',
      `context has ${context.rows} rows for ${rows.count} quotes`,
      { path: 'context.rows' },
    );
  }
  return {
    count: rows.count,
    write: (writer, from, count) => {
      rows.write(writer, from, count);
      context.write(writer, 4, { from, count });
    },
  };
}

function customerRows(customers: Uint8Array): Rows {
  if (customers.length % CUSTOMER_BYTES !== 0) {
    const message = `customers must hold rows of ${CUSTOMER_COLUMNS} float64, got ${customers.length} bytes`;
    throw new DomainError('INVALID_INPUT', message, { path: 'customers' });
  }
  return {
    count: customers.length / CUSTOMER_BYTES,
    write: (writer, from, count) => {
      writer.data(3, customers.subarray(from * CUSTOMER_BYTES, (from + count) * CUSTOMER_BYTES));
    },
  };
}

/** Rows that are messages of their own, tag and length included. */
class RowMessages implements Rows {
  private readonly spans = new SpanList();
  private message = new Uint8Array();

  constructor(private readonly mostRows: number) {}

  get count(): number {
    return this.spans.length;
  }

  add(request: WireReader): void {
    if (this.count === this.mostRows) {
      const message = `rows may hold ${this.mostRows} rows, got more; send several requests`;
      throw new DomainError('BATCH_TOO_LARGE', message, { path: 'rows' });
    }
    this.message = request.bytes as Uint8Array<ArrayBuffer>;
    const start = request.fieldStart;
    request.span();
    this.spans.push(start, request.position);
  }

  write(writer: WireWriter, from: number, count: number): void {
    // Rows that follow each other in the message are copied together.
    for (let row = from; row < from + count;) {
      const start = this.spans.start(row);
      let end = this.spans.end(row);
      for (row += 1; row < from + count && this.spans.start(row) === end; row++) {
        end = this.spans.end(row);
      }
      writer.raw(this.message, start, end);
    }
  }
}
