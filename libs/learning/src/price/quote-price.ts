import { DomainError } from '@sextant/domain';
import { earnings } from './price-objective.js';
import type { PricePlan, QuoteRules } from './price-plan.js';

/** Whether one rule moved the price, and from where to where (minor units); rules are applied in the order listed. */
export interface GuardrailOutcome {
  rule: 'stock' | 'floor' | 'ceiling' | 'seen-range' | 'step' | 'rounding' | 'cost';
  bound: boolean;
  beforeMinor: number;
  afterMinor: number;
}

export interface PriceQuote {
  priceMinor: number;
  /** Position of the price in the plan's `demandAt`. */
  demandIndex: number;
  /** Expected units a period at the price, at most the stock. */
  expectedUnits: number;
  /** expectedUnits × (price − cost); negative where no admissible price covers the cost. */
  expectedMarginMinor: number;
  guardrails: GuardrailOutcome[];
}

/**
 * Chooses the admissible price with the highest expected margin, units × (price − cost), or revenue where the rules want that, and says
 * which rules moved it. Of equal earnings the price nearest to the list price wins, then the lower one.
 *
 * @param units  expected units at each price of `plan.demandAt`
 * @throws DomainError FEATURE_VECTOR_MISMATCH when there is not one finite, non-negative number for each price
 */
export function chooseQuote(plan: PricePlan, rules: QuoteRules, units: ArrayLike<number>): PriceQuote {
  checkUnits(plan, units);
  const offset = plan.free.length;
  const sold = (i: number): number => Math.min(units[i] ?? 0, rules.stock ?? Number.POSITIVE_INFINITY);
  const unlimited = best(plan.free, rules, (i) => units[i] ?? 0);
  const stocked = best(plan.free, rules, sold);
  const index = best(plan.admissible, rules, (i) => sold(offset + i));
  const [free, afterStock] = [plan.free[unlimited] ?? 0, plan.free[stocked] ?? 0];
  const priceMinor = plan.admissible[index] ?? 0;
  const expectedUnits = sold(offset + index);
  return {
    priceMinor,
    demandIndex: offset + index,
    expectedUnits,
    expectedMarginMinor: expectedUnits * (priceMinor - rules.costMinor),
    guardrails: outcomes({ plan, rules, free, afterStock, chosen: priceMinor }),
  };
}

interface Journey {
  plan: PricePlan;
  rules: QuoteRules;
  free: number;
  afterStock: number;
  chosen: number;
}

function outcomes({ plan, rules, free, afterStock, chosen }: Journey): GuardrailOutcome[] {
  const { lowMinor, highMinor } = plan.seen;
  const atEdge = free === highMinor || free === lowMinor;
  const afterFloor = Math.max(afterStock, rules.floorMinor);
  const afterCeiling = Math.min(afterFloor, rules.ceilingMinor);
  const moved = (
    rule: GuardrailOutcome['rule'],
    beforeMinor: number,
    afterMinor: number,
  ): GuardrailOutcome => ({
    rule,
    bound: beforeMinor !== afterMinor,
    beforeMinor,
    afterMinor,
  });
  return [
    { rule: 'seen-range', bound: atEdge || plan.outsideSeen, beforeMinor: free, afterMinor: free },
    moved('stock', free, afterStock),
    moved('floor', afterStock, afterFloor),
    moved('ceiling', afterFloor, afterCeiling),
    moved(rules.rounding === 'none' ? 'step' : 'rounding', afterCeiling, chosen),
    { rule: 'cost', bound: chosen <= rules.costMinor, beforeMinor: chosen, afterMinor: chosen },
  ];
}

function best(prices: readonly number[], rules: QuoteRules, units: (index: number) => number): number {
  let top = 0;
  let topMargin = Number.NEGATIVE_INFINITY;
  for (const [index, price] of prices.entries()) {
    const margin = earnings(rules.objective ?? 'margin', {
      units: units(index),
      priceMinor: price,
      costMinor: rules.costMinor,
    });
    const nearer = distance(price, rules) < distance(prices[top] ?? 0, rules);
    if (margin > topMargin || (margin === topMargin && nearer)) [top, topMargin] = [index, margin];
  }
  return top;
}

function distance(price: number, { listPriceMinor }: QuoteRules): number {
  return Math.abs(price - listPriceMinor);
}

function checkUnits(plan: PricePlan, units: ArrayLike<number>): void {
  const valid =
    units.length === plan.demandAt.length && Array.from(units).every((u) => Number.isFinite(u) && u >= 0);
  if (!valid) {
    throw new DomainError(
      'FEATURE_VECTOR_MISMATCH',
      `expected ${plan.demandAt.length} finite numbers of units, one a price`,
    );
  }
}
