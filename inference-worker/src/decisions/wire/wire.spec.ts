import { decisionsService, toFeatureTable } from '@sextant/inference-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellOf, readFeatureTable } from '../programs/feature-table.js';
import { splitRequest } from '../split-request.js';
import { readQuoteRow } from './quote-wire.js';
import { TextIndex } from './text-index.js';
import { WireReader } from './wire-reader.js';
import { WireWriter } from './wire-writer.js';

const MOST_ROWS = 1_000;

function encode(rpc: string, request: object): Buffer {
  const method = decisionsService[rpc];
  if (!method) throw new Error(`no ${rpc}`);
  return method.requestSerialize(request);
}

function decodeAnswer(rpc: string, bytes: Uint8Array): unknown {
  return decisionsService[rpc]?.responseDeserialize(Buffer.from(bytes));
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('WireWriter', () => {
  it('writes what protobufjs reads, defaults, long texts and nested messages included', () => {
    const item = fc.record({ item: fc.string({ maxLength: 300 }), score: finite, residual: finite });
    const slate = fc.record({ items: fc.array(item, { maxLength: 4 }), historyUsed: fc.nat() });
    fc.assert(
      fc.property(fc.array(slate, { maxLength: 3 }), (slates) => {
        const writer = new WireWriter(1);
        for (const { items, historyUsed } of slates) {
          const outer = writer.begin(2);
          for (const each of items) {
            const inner = writer.begin(1);
            writer.text(1, each.item);
            writer.double(2, each.score);
            writer.double(4, each.residual);
            writer.end(inner);
          }
          writer.uint32(2, historyUsed);
          writer.end(outer);
        }
        const expected = slates.map(({ items, historyUsed }) => ({
          items: items.map((each) => ({ ...each, item: each.item.toWellFormed(), reasons: [] })),
          historyUsed,
          sums: 0,
        }));
        expect(decodeAnswer('Recommend', writer.written())).toEqual({ servedBy: null, slates: expected });
      }),
    );
  });

  it('writes 64-bit integers of either sign', () => {
    const amount = fc.maxSafeInteger();
    fc.assert(
      fc.property(amount, amount, (beforeMinor, afterMinor) => {
        const writer = new WireWriter();
        const quote = writer.begin(2);
        const guardrail = writer.begin(9);
        writer.int64(3, beforeMinor);
        writer.int64(4, afterMinor);
        writer.end(guardrail);
        writer.end(quote);
        expect(decodeAnswer('QuotePrices', writer.written())).toMatchObject({
          quotes: [{ guardrails: [{ beforeMinor, afterMinor }] }],
        });
      }),
    );
  });
});

describe('readQuoteRow', () => {
  it('reads what protobufjs writes', () => {
    const amount = fc.maxSafeInteger();
    const row = fc.record({
      product: fc.string({ unit: 'grapheme' }),
      listPriceMinor: amount,
      costMinor: amount,
      floorMinor: amount,
      ceilingMinor: amount,
      stepMinor: amount,
      rounding: fc.string(),
      stock: fc.option(fc.nat()),
      currency: fc.string(),
    });
    fc.assert(
      fc.property(row, (each) => {
        const reader = new WireReader(encode('QuotePrices', { rows: [{ ...each, quantity: 7 }] }));
        while (reader.next() && reader.field !== 3) reader.skip();
        expect(readQuoteRow(reader.message())).toEqual(each);
      }),
    );
  });
});

describe('splitRequest', () => {
  const cell = fc.oneof(fc.constantFrom(null, 'a', 'b', 'é', 'long '.repeat(9)), fc.integer().map(String));

  it('cuts a table into tables that hold the same cells, whatever the size of its dictionaries', () => {
    const rows = fc.array(fc.record({ text: cell, number: fc.option(finite) }), {
      minLength: 1,
      maxLength: 150,
    });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), (records, size) => {
        const request = encode('ScoreLeads', { model: 'm', rows: toFeatureTable(records), explain: true });
        const split = splitRequest('ScoreLeads', request, MOST_ROWS);
        expect(split).toMatchObject({ model: 'm', version: '', rows: records.length, explain: true });
        for (let from = 0; from < records.length; from += size) {
          const count = Math.min(size, records.length - from);
          const table = tableOf(split, { from, count });
          expect(table.rows).toBe(count);
          for (let row = 0; row < count; row++) {
            const [text, number] = ['text', 'number'].map((name) =>
              cellOf(
                table.columns.find((column) => column.name === name),
                row,
              ),
            );
            expect(text).toBe(records[from + row]?.text ?? null);
            expect(number).toBe(records[from + row]?.number ?? null);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('skips fields that it does not know, whatever they hold', () => {
    const rows = toFeatureTable([{ product: 'p', price: 1 }]);
    const unknown = new WireWriter();
    unknown.bool(4, true);
    unknown.text(90, 'from a later version');
    const request = Buffer.concat([encode('PredictDemand', { model: 'm', rows }), unknown.written()]);
    expect(splitRequest('PredictDemand', request, MOST_ROWS)).toMatchObject({ rows: 1, explain: false });
  });

  it('refuses more rows than it may before it looks at them, and lengths that do not fit', () => {
    const many = encode('Recommend', {
      model: 'm',
      rows: Array.from({ length: 1_001 }, () => ({ first: 1 })),
    });
    expect(() => splitRequest('Recommend', many, MOST_ROWS)).toThrow(
      expect.objectContaining({ code: 'BATCH_TOO_LARGE', path: 'rows' }),
    );
    const context = toFeatureTable([{ x: 1 }]);
    const quotes = encode('QuotePrices', { model: 'm', rows: [{}, {}], context });
    expect(() => splitRequest('QuotePrices', quotes, MOST_ROWS)).toThrow(
      expect.objectContaining({ code: 'FEATURE_VECTOR_MISMATCH', path: 'context.rows' }),
    );
  });

  it('answers bytes that are no message with INVALID_INPUT, and never reads beyond them', () => {
    const messages = [
      encode('Recommend', { model: 'm', rows: [{ history: ['a', 'b'], first: 3 }] }),
      encode('ScoreLeads', { model: 'm', rows: toFeatureTable([{ a: 1, b: 'x' }]) }),
      encode('QuotePrices', { model: 'm', rows: [{ product: 'p' }], context: toFeatureTable([{ a: 1 }]) }),
    ];
    const rpc = fc.constantFrom('Recommend', 'ScoreLeads', 'QuotePrices', 'ForecastValue' as const);
    const damage = fc.tuple(fc.constantFrom(...messages), fc.nat({ max: 40 }), fc.nat({ max: 255 }));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      damage.map(([message, at, value]) => Uint8Array.from(message, (byte, i) => (i === at ? value : byte))),
      damage.map(([message, at]) => Uint8Array.from(message.subarray(0, at))),
    );
    fc.assert(
      fc.property(rpc, bytes, (name, message) => {
        try {
          const split = splitRequest(name as 'Recommend', message, MOST_ROWS);
          split.writeSlice(new WireWriter(), { from: 0, count: Math.min(1, split.rows) }, false);
        } catch (error) {
          expect(error).toMatchObject({ name: 'DomainError' });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function tableOf(split: ReturnType<typeof splitRequest>, range: { from: number; count: number }) {
  const writer = new WireWriter();
  split.writeSlice(writer, range, false);
  const reader = new WireReader(writer.written());
  while (reader.next() && reader.field !== 3) reader.skip();
  return readFeatureTable(reader.message(), 'rows');
}

describe('TextIndex', () => {
  it('finds every text by its bytes and nothing else', () => {
    const texts = fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 60 });
    fc.assert(
      fc.property(texts, fc.string({ unit: 'grapheme' }), (known, other) => {
        const wellFormed = [...new Set(known.map((text) => text.toWellFormed()))];
        const index = new TextIndex(wellFormed);
        for (const text of [...wellFormed, other]) {
          const bytes = Buffer.from(`..${text}..`, 'utf8');
          expect(index.find(bytes, 2, bytes.length - 2)).toBe(wellFormed.indexOf(text.toWellFormed()));
        }
      }),
    );
  });
});
