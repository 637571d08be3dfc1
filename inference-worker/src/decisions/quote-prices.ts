import type { PriceSpec } from '@sextant/artefacts';
import { DomainError, minorUnitDigits } from '@sextant/domain';
import type {
  Attribution,
  Decoded,
  Quote,
  QuotePricesRequest,
  QuotePricesResponse,
  QuoteRow,
} from '@sextant/inference-protocol';
import {
  chooseQuote,
  type ColumnTable,
  planPrices,
  type PricePlan,
  type PriceQuote,
  type QuoteRules,
  takeRows,
} from '@sextant/learning';
import { type DemandLine, demandLine } from '@sextant/learning/price';
import type { ModelRunner } from '../models/model-runner.js';
import type { PriceTask } from '../models/prepared-task.js';
import type { ServedModel } from '../models/served-model.js';
import type { CallContext } from '../transport/call-context.js';
import { attributionOf } from './attribution.js';
import { DEMAND_INTERVAL_LEVEL, type Demand, demandOf } from './demand.js';
import { encodedRows, readFeatureTable, withDefaults } from './feature-table.js';
import { servedBy } from './served-by.js';
import { taskOf } from './task-of.js';

const ROUNDINGS = ['none', 'x.99', 'x.95', 'x.90', 'whole'];

/** One quote's search: its rules, the prices to ask demand at, and where in the demand table their answers stand. */
interface Search {
  rules: QuoteRules;
  plan: PricePlan;
  product: string;
  /** log units over the price, in major units; each of its asked prices is one row of the demand table */
  line: DemandLine;
  /** first row in the demand table */
  offset: number;
  /** minor units in one major unit */
  minorPerMajor: number;
}

/** Searches each row's admissible prices for the best expected margin; demand of all rows is one run. */
export function quotePrices(
  runner: ModelRunner,
  request: Decoded<QuotePricesRequest>,
  context: CallContext,
): Promise<QuotePricesResponse> {
  return runner.with(request, context, async (served) => {
    const { spec } = taskOf(served, 'price');
    runner.assertRowCount(request.rows.length, 'rows');
    const quoted = contextTable(request, spec);
    const searches = planSearches(request.rows, spec);
    const table = demandTable(spec, searches, quoted);
    const result = await runner.run(served.score, encodedRows(spec.table, table), context);
    const logUnits = result.outputs[0] as Float32Array;
    const chosen = searches.map((search) => choose(spec, search, logUnits));
    const attributions = request.explain
      ? await explainChosen({ runner, served, context }, table, chosen)
      : [];
    const quotes = chosen.map((each, i) => quoteOf(each, searches[i]?.rules, attributions[i] ?? null));
    return { servedBy: servedBy(served, result), quotes };
  });
}

function contextTable(request: Decoded<QuotePricesRequest>, spec: PriceSpec): ColumnTable {
  const rows = request.rows.length;
  const given = request.context ? readFeatureTable(request.context, 'context') : { rows, columns: [] };
  if (given.rows !== rows) {
    throw new DomainError('FEATURE_VECTOR_MISMATCH', `context has ${given.rows} rows for ${rows} quotes`, {
      path: 'context.rows',
    });
  }
  const own = given.columns.filter(({ name }) => name !== spec.productColumn && name !== spec.priceColumn);
  return withDefaults({ rows, columns: own }, spec.contextDefaults);
}

function planSearches(rows: readonly Decoded<QuoteRow>[], spec: PriceSpec): Search[] {
  let offset = 0;
  return rows.map((row, i) => {
    const search = atRow(i, () => planSearch(row, spec, offset));
    offset += search.line.asked.length;
    return search;
  });
}

/** Puts the row in front of the path, so that the caller knows which of its quotes was refused. */
function atRow<T>(row: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const path = `rows[${row}].${error.path ?? ''}`;
    throw new DomainError(error.code, `${path}: ${error.message}`, { path, cause: error });
  }
}

function planSearch(row: Decoded<QuoteRow>, spec: PriceSpec, offset: number): Search {
  if (!ROUNDINGS.includes(row.rounding)) {
    const message = `rounding must be one of ${ROUNDINGS.join(', ')}, got "${row.rounding}"`;
    throw new DomainError('INVALID_INPUT', message, { path: 'rounding' });
  }
  if (row.listPriceMinor < 1) {
    throw new DomainError('INVALID_INPUT', `the list price must be positive, got ${row.listPriceMinor}`, {
      path: 'listPriceMinor',
    });
  }
  const minorDigits = row.currency === '' ? 2 : minorUnitDigits(row.currency);
  const minorPerMajor = 10 ** minorDigits;
  const { listPriceMinor, costMinor, floorMinor, ceilingMinor, stepMinor, rounding } = row;
  const stock = row.stock ?? null;
  const rules = {
    listPriceMinor,
    costMinor,
    floorMinor,
    ceilingMinor,
    stepMinor,
    rounding,
    minorDigits,
    stock,
  };
  const range = spec.priceRange[row.product];
  const seen = range
    ? { lowMinor: Math.round(range[0] * minorPerMajor), highMinor: Math.round(range[1] * minorPerMajor) }
    : null;
  const plan = planPrices(rules, seen);
  const line = demandLine(
    spec.priceResponse,
    row.product,
    plan.demandAt.map((price) => price / minorPerMajor),
  );
  return { rules, plan, product: row.product, line, offset, minorPerMajor };
}

function demandTable(spec: PriceSpec, searches: readonly Search[], quoted: ColumnTable): ColumnTable {
  const rowOfQuote = searches.flatMap(({ line }, i) => line.asked.map(() => i));
  const prices = searches.flatMap(({ line }) => line.asked);
  return {
    rows: prices.length,
    columns: [
      ...takeRows(quoted, rowOfQuote).columns,
      {
        kind: 'categorical',
        name: spec.productColumn,
        dictionary: searches.map(({ product }) => product),
        codes: Int32Array.from(rowOfQuote),
      },
      { kind: 'numeric', name: spec.priceColumn, values: Float64Array.from(prices) },
    ],
  };
}

interface Chosen {
  quote: PriceQuote;
  demand: Demand;
  /** row of the demand table that is nearest to the chosen price, and the model's log units there */
  row: number;
  level: number;
  /** major units, and log units at it */
  price: number;
  logUnits: number;
}

function choose(spec: PriceSpec, search: Search, logUnits: Float32Array): Chosen {
  const { rules, plan, line, offset, minorPerMajor } = search;
  const levels = logUnits.subarray(offset, offset + line.asked.length);
  const logUnitsAt = (priceMinor: number): number => line.logUnitsAt(levels, priceMinor / minorPerMajor);
  const quote = chooseQuote(
    plan,
    rules,
    plan.demandAt.map((price) => demandOf(spec, logUnitsAt(price)).expected),
  );
  const priceMinor = plan.demandAt[quote.demandIndex] ?? 0;
  const chosen = logUnitsAt(priceMinor);
  const nearest = line.nearest(priceMinor / minorPerMajor);
  return {
    quote,
    demand: demandOf(spec, chosen),
    row: offset + nearest,
    level: levels[nearest] ?? Number.NaN,
    price: priceMinor / minorPerMajor,
    logUnits: chosen,
  };
}

async function explainChosen(
  { runner, served, context }: { runner: ModelRunner; served: ServedModel; context: CallContext },
  table: ColumnTable,
  chosen: readonly Chosen[],
): Promise<Attribution[]> {
  const task: PriceTask = taskOf(served, 'price');
  const { explainer } = task;
  if (!served.explain || !explainer) return [];
  const picked = takeRows(
    table,
    chosen.map(({ row }) => row),
  );
  const result = await runner.run(served.explain, encodedRows(task.spec.table, picked), context);
  const values = result.outputs[0] as Float64Array;
  const width = explainer.columns.length + 1;
  return chosen.map((each, row) => {
    const attribution = attributionOf(explainer, values.subarray(row * width, (row + 1) * width), {
      table: picked,
      row,
      explained: each.level,
    });
    return movedTo(each, attribution, task.spec.priceColumn);
  });
}

/** What moving the price from where the model was asked to the chosen one adds is the price's own contribution. */
function movedTo(
  { level, price, logUnits }: Chosen,
  attribution: Attribution,
  priceColumn: string,
): Attribution {
  if (logUnits === level) return attribution;
  const own = attribution.contributions.find(({ feature }) => feature === priceColumn);
  const others = attribution.contributions.filter((each) => each !== own);
  const contribution = (own?.contribution ?? 0) + logUnits - level;
  return {
    ...attribution,
    contributions: [...others, { feature: priceColumn, contribution, number: price }],
  };
}

function quoteOf(
  { quote, demand }: Chosen,
  rules: QuoteRules | undefined,
  attribution: Attribution | null,
): Quote {
  const stock = rules?.stock ?? Number.POSITIVE_INFINITY;
  const [low, high] = [Math.min(demand.low, stock), Math.min(demand.high, stock)];
  const unitMargin = quote.priceMinor - (rules?.costMinor ?? 0);
  const margins = [low * unitMargin, high * unitMargin];
  return {
    priceMinor: quote.priceMinor,
    expectedUnits: quote.expectedUnits,
    expectedUnitsLow: low,
    expectedUnitsHigh: high,
    expectedMarginMinor: quote.expectedMarginMinor,
    expectedMarginMinorLow: Math.min(...margins),
    expectedMarginMinorHigh: Math.max(...margins),
    intervalLevel: DEMAND_INTERVAL_LEVEL,
    guardrails: quote.guardrails,
    attribution,
  };
}
