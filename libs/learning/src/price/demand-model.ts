import type { ColumnEncoding, Measured, TableEncoding } from '@sextant/artefacts';
import { DomainError } from '@sextant/domain';
import { type Cell, type ColumnTable, tableOfRecords } from '../tabular/column-table.js';
import { encodeTable } from '../tabular/encode-table.js';
import { fitTableEncoder } from '../tabular/fit-table-encoder.js';
import { effectOfUnknown } from './unknown-product.js';
import { clusteredError, designEffect, priceSpells } from './cluster-errors.js';
import {
  type DemandFamily,
  fitMixedModel,
  type GroupedRows,
  mixedPredictor,
  type MixedModel,
} from './mixed-model.js';

/** Units of one product sold in one period at one price. */
export interface DemandRow {
  product: string;
  /** Major units of the currency, > 0. */
  price: number;
  /** ≥ 0 */
  units: number;
  at: Date;
  context: Readonly<Record<string, Cell>>;
}

/** Names of the two columns that every demand table has. */
export const PRODUCT_COLUMN = 'product';
export const PRICE_COLUMN = 'price';

/** What has an effect of its own in each product, beyond its level. */
export type DemandEffects = 'price' | 'price-and-context' | 'price-without-context';

/**
 * log units = coefficients · encoded table + intercept: the median of log units for `gaussian`, the logarithm of the mean for
 * `poisson`. All product effects stand in the encoding, as lookup columns.
 */
export interface DemandModel {
  family: DemandFamily;
  encoding: TableEncoding;
  coefficients: Float64Array;
  intercept: number;
  /**
   * d ln units / d ln price by product with its 95 % interval; context held fixed where the model has context. Rows of one spell at
   * one price may err together ({@link designEffect}).
   */
  elasticity: Record<string, Measured>;
  /** Of the average product. */
  commonElasticity: Measured;
}

const ELASTICITY_LEVEL = 0.95;
const Z95 = 1.959963984540054;

/** `gaussian` on the logarithm where every row sold something, else `poisson`, which needs no logarithm of 0. */
export function demandFamilyOf(rows: readonly DemandRow[]): DemandFamily {
  return rows.every(({ units }) => units > 0) ? 'gaussian' : 'poisson';
}

/** The raw table of demand rows, as the worker receives it: product, price and the context columns. */
export function demandTable(rows: readonly Omit<DemandRow, 'units' | 'at'>[]): ColumnTable {
  return tableOfRecords(
    rows.map(({ product, price, context }) => ({
      ...context,
      [PRODUCT_COLUMN]: product,
      [PRICE_COLUMN]: price,
    })),
  );
}

/**
 * Log-log demand: each product has a level, an elasticity and, if wanted, effects of numeric context of its own, all shrunk towards the common ones
 * ({@link fitMixedModel}); other context has common effects. Log prices are centred in each product.
 *
 * @throws DomainError DATA_INSUFFICIENT with too few rows, INVALID_INPUT for a price that is not positive or negative units
 */
export function fitDemandModel(
  rows: readonly DemandRow[],
  family: DemandFamily,
  effects: DemandEffects,
): DemandModel {
  checkRows(rows, family);
  const products = [...new Set(rows.map(({ product }) => product))].sort();
  const centres = centresOf(rows);
  const table = demandTable(rows);
  const context = contextEncoding(table, effects);
  const own = effects === 'price-and-context' ? numericColumns(context) : [];
  const design = designOf(rows, { table, context, own, centres });
  const groupOf = new Map(products.map((product, index) => [product, index]));
  const grouped: GroupedRows = {
    ...design,
    grouped: 2 + own.length,
    groups: Int32Array.from(rows, ({ product }) => groupOf.get(product) ?? 0),
    groupCount: products.length,
    target: Float64Array.from(rows, ({ units }) => (family === 'gaussian' ? Math.log(units) : units)),
  };
  const model = fitMixedModel(grouped, family);
  const inflation = Math.sqrt(
    designEffect({
      scores: priceScores(grouped, model, family),
      clusters: priceSpells(rows),
      groups: grouped.groups,
    }),
  );
  return assemble(model, { family, products, centres, context, own, inflation });
}

/** Log units of every row of a table, shape [rows]. */
export function predictLogUnits(
  { encoding, coefficients, intercept }: DemandModel,
  table: ColumnTable,
): Float64Array {
  const encoded = encodeTable(encoding, table);
  const width = coefficients.length;
  return Float64Array.from({ length: table.rows }, (_, i) => {
    let sum = intercept;
    for (let c = 0; c < width; c++) sum += (coefficients[c] ?? 0) * (encoded[i * width + c] ?? 0);
    return sum;
  });
}

/** Mean log price of each product, and of all rows for products that were never seen. */
export function centresOf(rows: readonly DemandRow[]): {
  byProduct: Record<string, number>;
  overall: number;
} {
  const byProduct: Record<string, number> = {};
  for (const [product, own] of Map.groupBy(rows, (row) => row.product)) {
    byProduct[product] = own.reduce((sum, { price }) => sum + Math.log(price), 0) / own.length;
  }
  return { byProduct, overall: rows.reduce((sum, { price }) => sum + Math.log(price), 0) / rows.length };
}

type NumericEncoding = Extract<ColumnEncoding, { kind: 'numeric' }>;
type LookupEncoding = Extract<ColumnEncoding, { kind: 'lookup' }>;

interface Parts {
  family: DemandFamily;
  products: readonly string[];
  centres: ReturnType<typeof centresOf>;
  context: TableEncoding;
  own: readonly NumericEncoding[];
  /** Standard errors with clusters over those without. */
  inflation: number;
}

/** Centred log price × residual of each row, shape [n]. */
function priceScores(rows: GroupedRows, model: MixedModel, family: DemandFamily): Float64Array {
  const expected = mixedPredictor(rows, model, family);
  return rows.target.map((y, i) => {
    const eta = expected[i] ?? 0;
    return (rows.design[i * rows.columns + 1] ?? 0) * (y - (family === 'poisson' ? Math.exp(eta) : eta));
  });
}

function checkRows(rows: readonly DemandRow[], family: DemandFamily): void {
  for (const { product, price, units } of rows) {
    if (!(price > 0) || !Number.isFinite(price))
      throw new DomainError('INVALID_INPUT', `${product} has a price of ${price}`, { path: 'price' });
    if (!Number.isFinite(units) || units < 0 || (units === 0 && family === 'gaussian')) {
      throw new DomainError('INVALID_INPUT', `${product} has ${units} units`, { path: 'units' });
    }
  }
}

function contextEncoding(table: ColumnTable, effects: DemandEffects): TableEncoding {
  const columns = table.columns.map(({ name }) => name);
  const exclude = effects === 'price-without-context' ? columns : [PRODUCT_COLUMN, PRICE_COLUMN];
  return fitTableEncoder(table, { purpose: 'linear', exclude }).encoding;
}

function numericColumns({ columns }: TableEncoding): NumericEncoding[] {
  return columns.filter((column) => column.kind === 'numeric');
}

/** Columns: 1, centred log price, the numeric context with effects by product, then all context. */
function designOf(
  rows: readonly DemandRow[],
  {
    table,
    context,
    own,
    centres,
  }: {
    table: ColumnTable;
    context: TableEncoding;
    own: readonly NumericEncoding[];
    centres: Parts['centres'];
  },
): { design: Float64Array; columns: number } {
  const encoded = encodeTable(context, table);
  const width = context.features.length;
  const ownAt = own.map(({ column }) => context.features.indexOf(column));
  const rest = Array.from({ length: width }, (_, c) => c).filter((c) => !ownAt.includes(c));
  const columns = 2 + width;
  const design = new Float64Array(rows.length * columns);
  for (const [i, { product, price }] of rows.entries()) {
    design[i * columns] = 1;
    design[i * columns + 1] = Math.log(price) - (centres.byProduct[product] ?? centres.overall);
    for (const [k, c] of [...ownAt, ...rest].entries())
      design[i * columns + 2 + k] = encoded[i * width + c] ?? 0;
  }
  return { design, columns };
}

function assemble(model: MixedModel, parts: Parts): DemandModel {
  const { family, context, own } = parts;
  const grouped = 2 + own.length;
  const lookups = lookupsOf(model, parts);
  const ownAt = own.map(({ column }) => context.features.indexOf(column));
  const common = new Float64Array(context.features.length);
  const rest = context.features.map((_, c) => c).filter((c) => !ownAt.includes(c));
  for (const [k, c] of rest.entries()) common[c] = model.fixed[grouped + k] ?? 0;
  return {
    family,
    encoding: {
      columns: [...lookups, ...context.columns],
      features: [...lookups.map(({ feature }) => feature), ...context.features],
      standardised: true,
    },
    coefficients: Float64Array.from([...lookups.map(() => 1), ...common]),
    intercept: 0,
    elasticity: elasticities(model, parts),
    commonElasticity: around(model.fixed[1] ?? 0, parts.inflation * (model.fixedErrors[1] ?? 0)),
  };
}

/** Level, price effect and own context effects of each product, as encoding; each enters the sum with a coefficient of 1. */
function lookupsOf({ fixed, deviations }: MixedModel, { products, centres, own }: Parts): LookupEncoding[] {
  const grouped = 2 + own.length;
  const effect = (k: number): Record<string, number> =>
    Object.fromEntries(
      products.map((product, g) => [product, (fixed[k] ?? 0) + (deviations[g * grouped + k] ?? 0)]),
    );
  const times = {
    column: PRICE_COLUMN,
    transform: 'log',
    centres: centres.byProduct,
    otherCentre: centres.overall,
    fill: Math.exp(centres.overall),
  } as const;
  const lookup = { kind: 'lookup', column: PRODUCT_COLUMN } as const;
  return [
    { ...lookup, feature: 'product level', values: effect(0), other: fixed[0] ?? 0, times: null },
    {
      ...lookup,
      feature: 'price effect',
      values: effect(1),
      other: effectOfUnknown(effect(0), centres, fixed[1] ?? 0),
      times,
    },
    ...own.map((numeric, k) => ownContext(numeric, effect(2 + k), fixed[2 + k] ?? 0)),
  ];
}

/** The whole effect of a numeric context column by product; its common column then keeps a coefficient of 0. */
function ownContext(numeric: NumericEncoding, values: Record<string, number>, other: number): LookupEncoding {
  const { column, transform, mean, scale, fill } = numeric;
  const scaled = Object.fromEntries(
    Object.entries(values).map(([product, value]) => [product, value / scale]),
  );
  const times = { column, transform, centres: {}, otherCentre: mean, fill };
  return {
    kind: 'lookup',
    column: PRODUCT_COLUMN,
    feature: `${column} by product`,
    values: scaled,
    other: other / scale,
    times,
  };
}

function elasticities(model: MixedModel, { products, own, inflation }: Parts): Record<string, Measured> {
  const grouped = 2 + own.length;
  const { fixed, fixedErrors, deviations, standardErrors, variances } = model;
  return Object.fromEntries(
    products.map((product, g) => {
      const value = (fixed[1] ?? 0) + (deviations[g * grouped + 1] ?? 0);
      const error = clusteredError({
        standardError: standardErrors[g * grouped + 1] ?? 0,
        commonError: fixedErrors[1] ?? 0,
        among: variances[1] ?? 0,
        designEffect: inflation ** 2,
      });
      return [product, around(value, error)];
    }),
  );
}

function around(value: number, standardError: number): Measured {
  const margin = Z95 * standardError;
  return { value, low: value - margin, high: value + margin, level: ELASTICITY_LEVEL };
}
