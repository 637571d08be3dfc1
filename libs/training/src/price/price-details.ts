import type { DemandRow } from '@sextant/learning';
import { earnings, type PriceObjective, willingnessToPay } from '@sextant/learning/price';
import { productCurve } from './price-curve.js';
import type { TrainedDemand } from './train-demand.js';

/** Products of which curves and best prices are given, by units sold. */
const SHOWN = 50;

interface Observed {
  rows: readonly DemandRow[];
  /** Cost of one unit by row, NaN = unknown; null where no column names it. */
  costs: Float64Array | null;
}

/** Elasticities with intervals, what they rest on, and for the products that sell most what the curve says. */
export function describePrices(trained: TrainedDemand, observed: Observed): Record<string, unknown> {
  const { causal, response } = trained;
  return {
    elasticity: trained.elasticity,
    elasticityPooled: trained.commonElasticity,
    elasticityGivenContext: trained.elasticityGivenContext,
    elasticityUsed: { basis: causal.basis, pooled: causal.other, byProduct: causal.byProduct },
    instrument: causal.instrument,
    curve:
      response === null
        ? 'the model itself, which falls in the price'
        : 'units at the usual prices × (price / usual price)^elasticity',
    products: best(observed.rows).map((own) => ofProduct(trained, own, costOf(own, observed))),
  };
}

type Rows = readonly [DemandRow, ...DemandRow[]];

/** Rows by product, most units first. */
export function best(rows: readonly DemandRow[], count = SHOWN): Rows[] {
  return [...Map.groupBy(rows, ({ product }) => product).values()]
    .map((own) => ({ own, units: own.reduce((sum, { units }) => sum + units, 0) }))
    .sort((a, b) => b.units - a.units)
    .slice(0, count)
    .flatMap(({ own: [first, ...others] }) => (first ? [[first, ...others] as const] : []));
}

function costOf(own: Rows, { rows, costs }: Observed): number | null {
  if (costs === null) return null;
  const product = own[0].product;
  const known = rows.flatMap((row, i) => {
    const cost = costs[i] ?? Number.NaN;
    return row.product === product && Number.isFinite(cost) ? [{ at: row.at.getTime(), cost }] : [];
  });
  return known.length === 0 ? null : known.reduce((a, b) => (b.at >= a.at ? b : a)).cost;
}

function ofProduct(trained: TrainedDemand, own: Rows, cost: number | null): Record<string, unknown> {
  const { product, points } = productCurve(trained, own);
  const bestFor = (objective: PriceObjective): number | undefined =>
    points.reduce(
      (top, { price, units }) => {
        const value = earnings(objective, { units, priceMinor: price, costMinor: cost ?? 0 });
        return value > top.value ? { price, value } : top;
      },
      { price: points[0]?.price, value: Number.NEGATIVE_INFINITY },
    ).price;
  const { median, beyond } = points.length > 1 ? willingnessToPay(points) : { median: null, beyond: 1 };
  return {
    product,
    curve: points,
    bestPrice: { revenue: bestFor('revenue'), margin: cost === null ? null : bestFor('margin') },
    willingnessToPay: { median, beyond },
  };
}
