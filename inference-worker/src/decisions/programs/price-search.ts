import type { PriceSpec } from '@sextant/artefacts';
import { DomainError, minorUnitDigits } from '@sextant/domain';
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
import type { QuoteRow } from '../wire/quote-wire.js';
import { type Demand, demandOf, expectedUnits } from './demand.js';
import { ownOf } from './own-of.js';

const ROUNDINGS = ['none', 'x.99', 'x.95', 'x.90', 'whole'] as const;

/** One quote's search: its rules, the prices to ask demand at, and where in the demand table their answers stand. */
export interface PriceSearch {
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

export interface ChosenPrice {
  quote: PriceQuote;
  demand: Demand;
  /** row of the demand table that is nearest to the chosen price, and the model's log units there */
  row: number;
  level: number;
  /** major units, and log units at it */
  price: number;
  logUnits: number;
}

/** @param firstRow  of the caller's request, for errors */
export function planSearches(rows: readonly QuoteRow[], spec: PriceSpec, firstRow: number): PriceSearch[] {
  let offset = 0;
  return rows.map((row, i) => {
    const search = atRow(firstRow + i, () => planSearch(row, spec, offset));
    offset += search.line.asked.length;
    return search;
  });
}

/** The rows that the model is asked at: each quote's context at each of its prices. */
export function demandTable(
  spec: PriceSpec,
  searches: readonly PriceSearch[],
  quoted: ColumnTable,
): ColumnTable {
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

export function choosePrice(spec: PriceSpec, search: PriceSearch, logUnits: Float32Array): ChosenPrice {
  const { rules, plan, line, offset, minorPerMajor } = search;
  const levels = logUnits.subarray(offset, offset + line.asked.length);
  const logUnitsAt = (priceMinor: number): number => line.logUnitsAt(levels, priceMinor / minorPerMajor);
  const quote = chooseQuote(
    plan,
    rules,
    plan.demandAt.map((price) => expectedUnits(spec, logUnitsAt(price))),
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

function planSearch(row: QuoteRow, spec: PriceSpec, offset: number): PriceSearch {
  const rules = rulesOf(row);
  const minorPerMajor = 10 ** (rules.minorDigits ?? 2);
  const range = ownOf(spec.priceRange, row.product);
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

function rulesOf({ product: _product, currency, rounding: wanted, ...amounts }: QuoteRow): QuoteRules {
  const rounding = ROUNDINGS.find((each) => each === wanted);
  if (rounding === undefined) {
    const message = `rounding must be one of ${ROUNDINGS.join(', ')}, got "${wanted}"`;
    throw new DomainError('INVALID_INPUT', message, { path: 'rounding' });
  }
  if (amounts.listPriceMinor < 1) {
    throw new DomainError('INVALID_INPUT', `the list price must be positive, got ${amounts.listPriceMinor}`, {
      path: 'listPriceMinor',
    });
  }
  return { ...amounts, rounding, minorDigits: currency === '' ? 2 : minorUnitDigits(currency) };
}
