import { minorUnitDigits } from '@sextant/domain';
import type { GuardrailOutcome, PriceRounding } from '@sextant/inference-protocol';

/** Bounds as factors; see the configuration for their defaults. */
export interface PriceRules {
  /** lowest price as a multiple of the cost */
  minCostFactor: number;
  /** lowest and highest price as multiples of the list price */
  minListFactor: number;
  maxListFactor: number;
}

/** What the rules need to know of a product; minor units of one currency. */
export interface PricedProduct {
  listPriceMinor: number;
  /** null when unknown: then only the list price bounds */
  costMinor: number | null;
  currency: string;
}

export interface PriceBounds {
  floorMinor: number;
  ceilingMinor: number;
}

/** Guards floor and ceiling against products such as 1.1 × 1000 = 1100.0000000000002. */
const EPSILON = 1e-9;

/** Inclusive bounds in minor units. The floor lies above the ceiling when the cost is too near the list price, or above it. */
export function priceBounds({ listPriceMinor, costMinor }: PricedProduct, rules: PriceRules): PriceBounds {
  const ofList = Math.ceil(listPriceMinor * rules.minListFactor - EPSILON);
  const ofCost = costMinor === null ? 0 : Math.ceil(costMinor * rules.minCostFactor - EPSILON);
  return {
    floorMinor: Math.max(1, ofList, ofCost),
    ceilingMinor: Math.floor(listPriceMinor * rules.maxListFactor + EPSILON),
  };
}

/** Prices end in .99 where the currency has cents and the bounds leave such a price; anything goes otherwise. */
export function roundingFor({ floorMinor, ceilingMinor }: PriceBounds, currency: string): PriceRounding {
  if (minorUnitDigits(currency) !== 2) return 'none';
  const nextNinetyNine = floorMinor + ((199 - (floorMinor % 100)) % 100);
  return nextNinetyNine <= ceilingMinor ? 'x.99' : 'none';
}

/**
 * The list price, kept within the bounds: what is quoted without a model. Where the bounds contradict each other the list
 * price stands, since a person set it.
 */
export function listPriceWithin(
  product: PricedProduct,
  bounds: PriceBounds,
): { priceMinor: number; guardrails: GuardrailOutcome[] } {
  const { listPriceMinor } = product;
  if (bounds.floorMinor > bounds.ceilingMinor) {
    const conflict = {
      rule: 'bounds-conflict',
      bound: false,
      beforeMinor: listPriceMinor,
      afterMinor: listPriceMinor,
    };
    return { priceMinor: listPriceMinor, guardrails: [conflict] };
  }
  const lifted = Math.max(listPriceMinor, bounds.floorMinor);
  const lowered = Math.min(lifted, bounds.ceilingMinor);
  return {
    priceMinor: lowered,
    guardrails: [
      { rule: 'floor', bound: lifted !== listPriceMinor, beforeMinor: listPriceMinor, afterMinor: lifted },
      { rule: 'ceiling', bound: lowered !== lifted, beforeMinor: lifted, afterMinor: lowered },
    ],
  };
}
