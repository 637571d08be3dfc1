import type { ServedBy } from '@sextant/inference-protocol';
import type { Rpc } from './programs/decision-program.js';
import { WIRE, WireReader } from './wire/wire-reader.js';
import { WireWriter } from './wire/wire-writer.js';

/** Response fields that hold a column of the rows; those of the parts are put one after the other. All other lists are repeated fields. */
const COLUMNS: Readonly<Record<Rpc, readonly number[]>> = {
  Recommend: [],
  QuotePrices: [],
  PredictDemand: [2, 3, 4, 5],
  ScoreLeads: [],
  ForecastValue: [2, 3, 4, 5, 6],
  ChooseActions: [4, 5, 6, 7],
};

/** A response of one message of every part, in their order. */
export function joinAnswers(rpc: Rpc, parts: readonly Uint8Array[]): Uint8Array[] {
  const columns = COLUMNS[rpc];
  if (columns.length === 0) return [...parts];
  return joinColumns(parts, columns);
}

/** Columns of all parts; everything else is the same in each and comes from the first. */
function joinColumns(parts: readonly Uint8Array[], columns: readonly number[]): Uint8Array[] {
  const pieces = new Map<number, Uint8Array[]>(columns.map((field) => [field, []]));
  const rest = new WireWriter();
  for (const [i, part] of parts.entries()) {
    const reader = new WireReader(part);
    while (reader.next()) {
      const column = reader.wireType === WIRE.BYTES ? pieces.get(reader.field) : undefined;
      if (column) {
        column.push(reader.data());
        continue;
      }
      const start = reader.fieldStart;
      reader.skip();
      if (i === 0) rest.raw(part, start, reader.position);
    }
  }
  return [...[...pieces].flatMap(([field, column]) => columnField(field, column)), rest.written()];
}

function columnField(field: number, column: readonly Uint8Array[]): Uint8Array[] {
  const head = new WireWriter(16);
  head.lengthOf(
    field,
    column.reduce((sum, { length }) => sum + length, 0),
  );
  return [head.written(), ...column];
}

/** The field that every response begins with. */
export function servedByField(served: ServedBy): Uint8Array {
  const writer = new WireWriter(128);
  const start = writer.begin(1);
  writer.text(1, served.model);
  writer.text(2, served.version);
  writer.text(3, served.device);
  writer.double(4, served.queueMs);
  writer.double(5, served.computeMs);
  writer.uint32(6, served.batchSize);
  writer.text(7, served.trainedAt);
  writer.end(start);
  return writer.written();
}

export function textField(field: number, text: string): Uint8Array {
  const writer = new WireWriter(text.length + 8);
  writer.text(field, text);
  return writer.written();
}
