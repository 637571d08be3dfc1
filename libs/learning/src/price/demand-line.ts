import type { PriceSpec } from '@sextant/artefacts';

export type PriceResponse = NonNullable<PriceSpec['priceResponse']>;

/** Log units of one product over its price, in one context. */
export interface DemandLine {
  /** Prices that the demand model is to be asked at, major units, at least one where `prices` has one. */
  asked: readonly number[];
  /**
   * Log units at one of `prices`.
   *
   * @param levels  the model's log units, shape of `asked`
   */
  logUnitsAt(levels: ArrayLike<number>, price: number): number;
  /** Position in `asked` of the price nearest to this one. */
  nearest(price: number): number;
}

/**
 * Which prices to ask a demand model at, and how its answers become a curve. Without a response the model itself is the curve. With one it is asked at
 * the product's usual prices only, and the curve is the line of the given elasticity through the middle of the answers:
 * mean(levels) + elasticity · (ln price − mean(ln usual prices)), which never rises with the price.
 *
 * @param prices  > 0, major units; of a product that training did not hold the first one stands for the usual price
 */
export function demandLine(
  response: PriceResponse | undefined,
  product: string,
  prices: readonly number[],
): DemandLine {
  if (response === undefined) return askedAt(prices);
  const known = response.reference[product];
  const usual = known && known.length > 0 ? known : prices.slice(0, 1);
  const elasticity = response.elasticity[product] ?? response.otherElasticity;
  const centre = usual.reduce((sum, price) => sum + Math.log(price), 0) / usual.length;
  const line = askedAt(usual);
  return {
    ...line,
    logUnitsAt: (levels, price) => {
      const level = usual.reduce((sum, each) => sum + line.logUnitsAt(levels, each), 0) / usual.length;
      return level + elasticity * (Math.log(price) - centre);
    },
  };
}

function askedAt(prices: readonly number[]): DemandLine {
  const asked = [...new Set(prices)];
  const positionOf = new Map(asked.map((price, i) => [price, i]));
  return {
    asked,
    logUnitsAt: (levels, price) => levels[positionOf.get(price) ?? -1] ?? Number.NaN,
    nearest: (price) =>
      asked.reduce(
        (best, each, i) => (Math.abs(each - price) < Math.abs((asked[best] ?? Infinity) - price) ? i : best),
        0,
      ),
  };
}
