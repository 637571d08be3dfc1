/** Demand at one price, all else equal. */
export interface CurvePoint {
  /** > 0, any unit of money */
  price: number;
  /** ≥ 0 */
  units: number;
}

export interface WillingnessToPay {
  /** Share of those who buy at the lowest price that would pay at least each price; from 1 downwards, shape of the curve. */
  shares: { price: number; share: number }[];
  /** What half of them would pay at least; null where more than half would pay the highest price of the curve. */
  median: number | null;
  /** Share that would pay the highest price or more: how much of the distribution the curve does not show. */
  beyond: number;
  /** Money that buyers at the lowest price would have paid above it, up to the highest price, per period. */
  surplus: number;
}

/**
 * The distribution of willingness to pay that a falling demand curve implies, one unit a buyer: the share that pays at least p is
 * units(p) / units(lowest price). Between prices of the curve units are taken as linear.
 *
 * @param curve  at least two points, prices ascending and distinct, units not rising
 * @throws RangeError when the curve is not of that form, or nobody buys at the lowest price
 *
 * Source: Varian (1992), "Microeconomic Analysis", 3rd edition, §10 (surplus as the area under demand).
 */
export function willingnessToPay(curve: readonly CurvePoint[]): WillingnessToPay {
  checkCurve(curve);
  const base = curve[0]?.units ?? 0;
  const shares = curve.map(({ price, units }) => ({ price, share: units / base }));
  let [surplus, median] = [0, null as number | null];
  for (let i = 1; i < curve.length; i++) {
    const [from, to] = [curve[i - 1], curve[i]];
    if (!from || !to) continue;
    surplus += ((from.units + to.units) / 2) * (to.price - from.price);
    const half = base / 2;
    if (median !== null || to.units > half) continue;
    const along = from.units === to.units ? 0 : (from.units - half) / (from.units - to.units);
    median = from.price + along * (to.price - from.price);
  }
  return { shares, median, beyond: shares.at(-1)?.share ?? 0, surplus };
}

function checkCurve(curve: readonly CurvePoint[]): void {
  if (curve.length < 2) throw new RangeError(`a demand curve needs two points, got ${curve.length}`);
  for (const [i, { price, units }] of curve.entries()) {
    const before = curve[i - 1];
    if (!(price > 0) || !(units >= 0) || !Number.isFinite(price) || !Number.isFinite(units))
      throw new RangeError(
        `a point of a demand curve needs price > 0 and units >= 0, got ${price}, ${units}`,
      );
    if (before && price <= before.price)
      throw new RangeError(`prices must ascend, got ${before.price} then ${price}`);
    if (before && units > before.units * (1 + 1e-12))
      throw new RangeError(`units must not rise with the price, got ${before.units} then ${units}`);
  }
  if (curve[0]?.units === 0) throw new RangeError('nobody buys at the lowest price of the curve');
}
