import { type DemandRow } from '@sextant/learning';
import { curveLogUnits, type TrainedDemand } from './train-demand.js';

/** Expected units of one product over its seen prices, all else as in its newest row. */
export interface ProductCurve {
  product: string;
  points: { price: number; units: number }[];
}

const POINTS = 25;

/** @param own  rows of one product, at least one */
export function productCurve(
  trained: TrainedDemand,
  own: readonly [DemandRow, ...DemandRow[]],
): ProductCurve {
  const newest = own.reduce((latest, row) => (row.at.getTime() >= latest.at.getTime() ? row : latest));
  let [low, high] = [newest.price, newest.price];
  for (const { price } of own) [low, high] = [Math.min(low, price), Math.max(high, price)];
  const count = high - low > 1e-6 * high ? POINTS : 1;
  const asked = Array.from({ length: count }, (_, k) => ({
    ...newest,
    price: count === 1 ? low : low + ((high - low) * k) / (count - 1),
  }));
  const logUnits = curveLogUnits(trained, asked);
  const { smearing } = trained.curve;
  return {
    product: newest.product,
    points: asked.map(({ price }, i) => ({ price, units: smearing * Math.exp(logUnits[i] ?? 0) })),
  };
}
