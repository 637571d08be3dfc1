import type { PriceSpec } from '@sextant/artefacts';
import { type ColumnTable, encodeTable, type TableColumn, takeRows } from '@sextant/learning';
import type { Explainer } from '@sextant/learning/explain';
import type { DecisionCounter } from '../../monitoring/decision-counter.js';
import { type QuoteRow, readQuoteRow, writeGuardrail } from '../wire/quote-wire.js';
import type { WireReader } from '../wire/wire-reader.js';
import type { WireWriter } from '../wire/wire-writer.js';
import { type Attributed, AttributionWriter } from './attribution.js';
import { askEach, type DecisionProgram, type Part, type Question } from './decision-program.js';
import { DEMAND_INTERVAL_LEVEL } from './demand.js';
import { readFeatureTable, withDefaults, writeEncoded } from './feature-table.js';
import {
  type ChosenPrice,
  choosePrice,
  demandTable,
  planSearches,
  type PriceSearch,
} from './price-search.js';

interface QuoteRequest {
  rows: QuoteRow[];
  context: ColumnTable | null;
  explain: boolean;
}

/** `QuotePrices`: searches each row's admissible prices for the best expected margin; demand of all rows is one run. */
export class QuoteProgram implements DecisionProgram {
  constructor(
    private readonly spec: PriceSpec,
    private readonly explainer: Explainer | null,
    private readonly counter: DecisionCounter | null,
  ) {}

  ask(parts: readonly Part[]): (Question | Error)[] {
    return askEach(parts, ({ request, firstRow, isCounted }) => {
      const { spec } = this;
      const { rows, context, explain } = readQuoteRequest(request);
      const searches = planSearches(rows, spec, firstRow);
      const table = demandTable(spec, searches, this.contextTable(context, rows.length));
      return {
        rows: table.rows,
        write: (input, at) => void writeEncoded(spec.table, table, input, at),
        answer: (output, writer) => {
          const chosen = searches.map((search) => choosePrice(spec, search, output as Float32Array));
          const attribute = explain ? this.attribution(table, chosen) : null;
          writeQuotes(writer, { searches, chosen, attribute });
          if (isCounted) this.count(table, chosen);
        },
      };
    });
  }

  /** The context columns, without what the search itself sets. */
  private contextTable(given: ColumnTable | null, rows: number): ColumnTable {
    const { productColumn, priceColumn, contextDefaults } = this.spec;
    const columns = (given?.columns ?? []).filter(
      ({ name }) => name !== productColumn && name !== priceColumn,
    );
    return withDefaults({ rows, columns }, contextDefaults);
  }

  /** The rows whose price was chosen, at that price, with the log units that are expected of it. */
  private count(table: ColumnTable, chosen: readonly ChosenPrice[]): void {
    const { counter, spec } = this;
    if (!counter) return;
    const picked = takeRows(
      table,
      chosen.map(({ row }) => row),
    );
    const others = picked.columns.filter(({ name }) => name !== spec.priceColumn);
    const values = Float64Array.from(chosen, ({ price }) => price);
    const price: TableColumn = { kind: 'numeric', name: spec.priceColumn, values };
    const scores = { log_units: Float64Array.from(chosen, ({ logUnits }) => logUnits) };
    counter.count({ table: { rows: picked.rows, columns: [...others, price] }, scores });
  }

  /** How to write the attribution of each chosen price; null where the artefact brings no explainer. */
  private attribution(table: ColumnTable, chosen: readonly ChosenPrice[]): WriteAttribution | null {
    const { explainer, spec } = this;
    if (!explainer) return null;
    const picked = takeRows(
      table,
      chosen.map(({ row }) => row),
    );
    const explanations = explainer.explainRows(encodeTable(spec.table, picked), picked.rows);
    const attributions = new AttributionWriter(explainer, picked);
    return (writer, row) => {
      const [each, explanation] = [chosen[row], explanations[row]];
      if (!each || !explanation) return;
      const { level, logUnits, price } = each;
      // What moving the price from where the model was asked to the chosen one adds is the price's own contribution.
      const move: Attributed['move'] =
        logUnits === level
          ? null
          : { column: spec.priceColumn, contribution: logUnits - level, value: price };
      attributions.write(writer, 10, { explanation, row, explained: level, move });
    };
  }
}

type WriteAttribution = (writer: WireWriter, row: number) => void;

function readQuoteRequest(request: WireReader): QuoteRequest {
  const read: QuoteRequest = { rows: [], context: null, explain: false };
  while (request.next()) {
    if (request.field === 3) read.rows.push(readQuoteRow(request.message()));
    else if (request.field === 4) read.context = readFeatureTable(request.message(), 'context');
    else if (request.field === 5) read.explain = request.bool();
    else request.skip();
  }
  return read;
}

function writeQuotes(
  writer: WireWriter,
  {
    searches,
    chosen,
    attribute,
  }: { searches: readonly PriceSearch[]; chosen: readonly ChosenPrice[]; attribute: WriteAttribution | null },
): void {
  for (const [row, each] of chosen.entries()) {
    const start = writer.begin(2);
    writeQuote(writer, each, searches[row]?.rules);
    attribute?.(writer, row);
    writer.end(start);
  }
}

function writeQuote(
  writer: WireWriter,
  { quote, demand }: ChosenPrice,
  rules: PriceSearch['rules'] | undefined,
): void {
  const stock = rules?.stock ?? Number.POSITIVE_INFINITY;
  const [low, high] = [Math.min(demand.low, stock), Math.min(demand.high, stock)];
  const unitMargin = quote.priceMinor - (rules?.costMinor ?? 0);
  const margins = [low * unitMargin, high * unitMargin];
  writer.int64(1, quote.priceMinor);
  writer.double(2, quote.expectedUnits);
  writer.double(3, low);
  writer.double(4, high);
  writer.double(5, quote.expectedMarginMinor);
  writer.double(6, Math.min(...margins));
  writer.double(7, Math.max(...margins));
  writer.double(8, DEMAND_INTERVAL_LEVEL);
  for (const guardrail of quote.guardrails) writeGuardrail(writer, guardrail);
}
