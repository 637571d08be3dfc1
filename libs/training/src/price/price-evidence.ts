import type { Measured } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import {
  type DemandModel,
  type DemandRow,
  demandTable,
  encodeTable,
  fitDemandModel,
  fitTableEncoder,
  PRICE_COLUMN,
  PRODUCT_COLUMN,
} from '@sextant/learning';
import {
  type InstrumentedElasticity,
  priceSpells,
  twoStageElasticity,
  type PriceResponse,
} from '@sextant/learning/price';

/** What tells a cause from a coincidence: rows whose price was drawn at random, or something that moves only the price. */
export type PriceEvidence =
  /** Shape [rows]: whether the price of the row was set at random. */
  | { kind: 'experiment'; randomised: readonly boolean[] }
  /** Shape [rows]: e.g. the cost of the goods, a tax. */
  | { kind: 'instrument'; values: ArrayLike<number> };

/** The elasticities that a price is moved by, and what they rest on. */
export interface CausalElasticity {
  basis: 'observed' | 'experiment' | 'instrument';
  byProduct: Record<string, Measured>;
  /** Of products that the evidence does not reach. */
  other: Measured;
  /** First stage of the instrument, over all products. */
  instrument: InstrumentedElasticity | null;
  warnings: string[];
}

const MIN_ROWS = 30;

/**
 * Elasticities with context held fixed where nothing better exists; from the rows of an experiment alone where there is one; by two-stage least
 * squares where there is an instrument that is not weak.
 *
 * Evidence that cannot carry them (an experiment of fewer than 30 rows or at one price a product, an instrument that does not vary or where
 * rows sold nothing) is named in a warning, and what was observed stands.
 *
 * @throws DomainError INVALID_INPUT for evidence that has not one entry a row
 */
export function causalElasticity(
  rows: readonly DemandRow[],
  observed: DemandModel,
  evidence: PriceEvidence | null,
): CausalElasticity {
  if (evidence === null)
    return asObserved(
      observed,
      'Observational: no experiment or instrument. Prices were set with demand in mind, so an elasticity is an association, not what a change of price would cause.',
    );
  const length = evidence.kind === 'experiment' ? evidence.randomised.length : evidence.values.length;
  if (length !== rows.length)
    throw new DomainError('INVALID_INPUT', `evidence has ${length} entries for ${rows.length} rows`);
  if (evidence.kind === 'experiment') return ofExperiment(rows, evidence.randomised, observed);
  return ofInstrument(rows, evidence.values, observed);
}

function asObserved(
  observed: DemandModel,
  warning: string,
  instrument: InstrumentedElasticity | null = null,
): CausalElasticity {
  return {
    basis: 'observed',
    byProduct: observed.elasticity,
    other: observed.commonElasticity,
    instrument,
    warnings: [warning],
  };
}

function ofExperiment(
  rows: readonly DemandRow[],
  randomised: readonly boolean[],
  observed: DemandModel,
): CausalElasticity {
  const drawn = rows.filter((_, i) => randomised[i]);
  const varied = [...Map.groupBy(drawn, ({ product }) => product).values()].some(
    (own) => new Set(own.map(({ price }) => price)).size > 1,
  );
  const sold = drawn.some(({ units }) => units > 0);
  if (drawn.length < MIN_ROWS || !varied || !sold)
    return asObserved(
      observed,
      `The price experiment has ${drawn.length} rows${varied ? '' : ' and one price a product'}${sold ? '' : ' and no sale'}: it needs ${MIN_ROWS}, two prices of a product and sales. It is not used, and elasticities are associations.`,
    );
  const { elasticity, commonElasticity } = fitDemandModel(drawn, observed.family, 'price-without-context');
  return {
    basis: 'experiment',
    byProduct: elasticity,
    other: commonElasticity,
    instrument: null,
    warnings: [],
  };
}

function ofInstrument(
  rows: readonly DemandRow[],
  values: ArrayLike<number>,
  observed: DemandModel,
): CausalElasticity {
  if (observed.family === 'poisson')
    return asObserved(
      observed,
      'The instrument is not used, since some rows sold nothing: add units up over longer periods. Elasticities are associations.',
    );
  const usable = rows.map((_, i) => i).filter((i) => Number.isFinite(values[i]));
  const all = tryInstrument(rows, values, usable);
  if (all === null || all.isWeak)
    return asObserved(
      observed,
      all === null
        ? 'The instrument or the price does not vary within products: it is not used, and elasticities are associations.'
        : `The instrument is weak (first-stage F ${all.firstStageF.toFixed(1)}, below 10): it is not used, and elasticities are associations.`,
      all,
    );
  const byProduct: Record<string, Measured> = {};
  for (const [product, own] of Map.groupBy(usable, (i) => rows[i]?.product ?? ''))
    byProduct[product] = ofProduct(rows, values, own) ?? all.elasticity;
  return { basis: 'instrument', byProduct, other: all.elasticity, instrument: all, warnings: [] };
}

/** Null where the product's own rows are too few or its first stage is weak. */
function ofProduct(
  rows: readonly DemandRow[],
  values: ArrayLike<number>,
  own: readonly number[],
): Measured | null {
  const found = own.length < MIN_ROWS ? null : tryInstrument(rows, values, own);
  return found === null || found.isWeak ? null : found.elasticity;
}

/** Null where the rows cannot tell. */
function tryInstrument(
  rows: readonly DemandRow[],
  values: ArrayLike<number>,
  picked: readonly number[],
): InstrumentedElasticity | null {
  try {
    return byInstrument(rows, values, picked);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'DATA_INSUFFICIENT') return null;
    throw error;
  }
}

function byInstrument(
  rows: readonly DemandRow[],
  values: ArrayLike<number>,
  picked: readonly number[],
): InstrumentedElasticity {
  const own = picked.flatMap((i) => rows[i] ?? []);
  const products = [...new Set(own.map(({ product }) => product))];
  const groupOf = new Map(products.map((product, group) => [product, group]));
  return twoStageElasticity({
    logUnits: Float64Array.from(own, ({ units }) => Math.log(units)),
    logPrice: Float64Array.from(own, ({ price }) => Math.log(price)),
    instrument: Float64Array.from(picked, (i) => values[i] ?? Number.NaN),
    controls: controlsOf(own),
    groups: own.map(({ product }) => groupOf.get(product) ?? 0),
    clusters: priceSpells(own),
  });
}

function controlsOf(rows: readonly DemandRow[]): Float64Array[] {
  const table = demandTable(rows);
  const { encoding } = fitTableEncoder(table, { purpose: 'linear', exclude: [PRODUCT_COLUMN, PRICE_COLUMN] });
  const width = encoding.features.length;
  const encoded = encodeTable(encoding, table);
  return encoding.features.map((_, c) =>
    Float64Array.from({ length: rows.length }, (_row, i) => encoded[i * width + c] ?? 0),
  );
}

const RECENT_ROWS = 56;
const USUAL_PRICES = 8;

/** How a served price moves demand: along the product's elasticity, drawn to 0 where it is positive, from its usual prices of late. */
export function priceResponse(
  rows: readonly DemandRow[],
  { basis, byProduct, other }: Pick<CausalElasticity, 'basis' | 'byProduct' | 'other'>,
): PriceResponse {
  const falling = ({ value }: Measured): number => Math.min(0, value);
  const reference: Record<string, number[]> = {};
  const elasticity: Record<string, number> = {};
  for (const [product, own] of Map.groupBy(rows, (row) => row.product)) {
    reference[product] = usualPrices(own);
    elasticity[product] = falling(byProduct[product] ?? other);
  }
  return { basis, elasticity, otherElasticity: falling(other), reference };
}

/** Evenly spaced quantiles of the newest prices; of all prices where rows have no times. */
function usualPrices(own: readonly DemandRow[]): number[] {
  const hasTimes = own.some(({ at }) => at.getTime() !== own[0]?.at.getTime());
  const recent = hasTimes
    ? own.toSorted((a, b) => b.at.getTime() - a.at.getTime()).slice(0, RECENT_ROWS)
    : own;
  const prices = recent.map(({ price }) => price).toSorted((a, b) => a - b);
  const quantiles = Array.from(
    { length: USUAL_PRICES },
    (_, k) => prices[Math.floor(((k + 0.5) / USUAL_PRICES) * prices.length)] ?? 1,
  );
  return prices.length === 0 || prices[0] === prices.at(-1) ? quantiles.slice(0, 1) : quantiles;
}
