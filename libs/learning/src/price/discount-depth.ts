/** What one customer (or segment) would do at each depth of discount. */
export interface DiscountOffer {
  /** Price without a discount and cost of one unit, one unit of money. */
  price: number;
  cost: number;
  /** Shares of the price taken off, ascending, the first 0 (no offer). */
  depths: readonly number[];
  /** Probability of buying at each depth, shape of `depths`; the uplift of a depth is its difference to the first. */
  probabilities: readonly number[];
  /** Cost of making the offer at all, whether it is taken or not; 0 when absent. */
  contactCost?: number;
}

export interface DiscountChoice {
  depth: number;
  /** Probability at the depth less that without an offer. */
  uplift: number;
  /** Expected profit less that without an offer; 0 where no offer is best. */
  gain: number;
}

/**
 * The depth with the highest expected profit, uplift × profit: whoever would buy anyway costs the discount, whoever is
 * persuaded brings the reduced margin. Of equal profits the shallower depth; so no offer unless one earns more.
 *
 * @throws RangeError when depths do not ascend from 0 within [0, 1), a probability lies outside [0, 1], or lengths differ
 *
 * Source: Gubela, Lessmann and Jaroszewicz (2020), "Response transformation and profit decomposition for revenue uplift
 * modeling", European Journal of Operational Research 283(2).
 */
export function chooseDiscountDepth(offer: DiscountOffer): DiscountChoice {
  checkOffer(offer);
  const { price, cost, depths, probabilities, contactCost = 0 } = offer;
  const base = probabilities[0] ?? 0;
  const without = base * (price - cost);
  let best: DiscountChoice = { depth: 0, uplift: 0, gain: 0 };
  for (const [i, depth] of depths.entries()) {
    if (i === 0) continue;
    const probability = probabilities[i] ?? 0;
    const gain = probability * (price * (1 - depth) - cost) - contactCost - without;
    if (gain > best.gain) best = { depth, uplift: probability - base, gain };
  }
  return best;
}

function checkOffer({ price, cost, depths, probabilities, contactCost = 0 }: DiscountOffer): void {
  if (!(price > 0) || !(cost >= 0) || !(contactCost >= 0))
    throw new RangeError(
      `price must be positive and costs not negative, got ${price}, ${cost}, ${contactCost}`,
    );
  if (depths.length === 0 || depths.length !== probabilities.length)
    throw new RangeError(`${depths.length} depths need as many probabilities, got ${probabilities.length}`);
  const ascends = depths.every(
    (depth, i) => depth < 1 && (i === 0 ? depth === 0 : depth > (depths[i - 1] ?? 1)),
  );
  if (!ascends) throw new RangeError(`depths must ascend from 0 within [0, 1), got ${depths.join(', ')}`);
  const wrong = probabilities.find((probability) => !(probability >= 0 && probability <= 1));
  if (wrong !== undefined) throw new RangeError(`a probability must lie in [0, 1], got ${wrong}`);
}
