import type { GuardrailOutcome } from '@sextant/learning';
import type { WireReader } from './wire-reader.js';
import type { WireWriter } from './wire-writer.js';

/** `QuoteRow`; all prices in integer minor units of the currency. */
export interface QuoteRow {
  product: string;
  listPriceMinor: number;
  costMinor: number;
  floorMinor: number;
  ceilingMinor: number;
  stepMinor: number;
  rounding: string;
  /** null: unknown or unlimited */
  stock: number | null;
  /** empty: two minor digits */
  currency: string;
}

export function readQuoteRow(message: WireReader): QuoteRow {
  const row: QuoteRow = {
    product: '',
    listPriceMinor: 0,
    costMinor: 0,
    floorMinor: 0,
    ceilingMinor: 0,
    stepMinor: 0,
    rounding: '',
    stock: null,
    currency: '',
  };
  while (message.next()) readField(message, row);
  return row;
}

function readField(message: WireReader, row: QuoteRow): void {
  switch (message.field) {
    case 1:
      row.product = message.text();
      return;
    case 2:
      row.listPriceMinor = message.int64();
      return;
    case 3:
      row.costMinor = message.int64();
      return;
    case 4:
      row.floorMinor = message.int64();
      return;
    case 5:
      row.ceilingMinor = message.int64();
      return;
    case 6:
      row.stepMinor = message.int64();
      return;
    case 7:
      row.rounding = message.text();
      return;
    case 9:
      row.stock = message.uint32();
      return;
    case 10:
      row.currency = message.text();
      return;
    default:
      message.skip();
  }
}

export function writeGuardrail(
  writer: WireWriter,
  { rule, bound, beforeMinor, afterMinor }: GuardrailOutcome,
): void {
  const start = writer.begin(9);
  writer.text(1, rule);
  writer.bool(2, bound);
  writer.int64(3, beforeMinor);
  writer.int64(4, afterMinor);
  writer.end(start);
}
