/** A product that could be offered to a customer who owns or buys another. */
export interface OfferedProduct {
  productId: string;
  categoryId: string;
  /** List price in minor units, ≥ 0. */
  priceMinor: number;
  /** Contribution margin in minor units, may be negative. */
  marginMinor: number;
  /** Probability that the customer buys it within the horizon when it is offered, in [0, 1]. */
  probability: number;
}

export interface NextProducts {
  /** Dearer products of the same category as the anchor, by expected extra margin. */
  upsell: RankedProduct[];
  /** Products of other categories, by expected margin. */
  crossSell: RankedProduct[];
}

export interface RankedProduct {
  productId: string;
  /** In minor units: p · (margin − anchor's margin) for an upsell, p · margin for a cross-sell. */
  expectedMarginMinor: number;
}

/**
 * Upsell and cross-sell beside an anchor product (in the cart, or owned): an upsell replaces the anchor by a dearer product of its category
 * and earns the difference of margins; a cross-sell comes on top. What earns nothing is not offered. Ties by product id.
 *
 * @param offered  without the anchor and without what the customer owns
 * @throws RangeError when a probability is outside [0, 1] or a price is negative
 */
export function nextProducts(
  anchor: Omit<OfferedProduct, 'probability'>,
  offered: readonly OfferedProduct[],
): NextProducts {
  for (const { productId, probability, priceMinor } of offered) {
    if (!(probability >= 0 && probability <= 1) || !(priceMinor >= 0))
      throw new RangeError(
        `product ${productId}: probability ${probability} must be in [0, 1] and price ${priceMinor} ≥ 0`,
      );
  }
  const ranked = (products: readonly OfferedProduct[], base: number): RankedProduct[] =>
    products
      .map(({ productId, probability, marginMinor }) => ({
        productId,
        expectedMarginMinor: probability * (marginMinor - base),
      }))
      .filter(({ expectedMarginMinor }) => expectedMarginMinor > 0)
      .sort((a, b) => b.expectedMarginMinor - a.expectedMarginMinor || (a.productId < b.productId ? -1 : 1));
  const isUpsell = ({ categoryId, priceMinor }: OfferedProduct): boolean =>
    categoryId === anchor.categoryId && priceMinor > anchor.priceMinor;
  return {
    upsell: ranked(offered.filter(isUpsell), anchor.marginMinor),
    crossSell: ranked(
      offered.filter(({ categoryId }) => categoryId !== anchor.categoryId),
      0,
    ),
  };
}
