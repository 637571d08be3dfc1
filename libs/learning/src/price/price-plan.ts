import { DomainError } from '@sextant/domain';
import type { PriceObjective } from './price-objective.js';

/** How an admissible price must end; `none` leaves it to the step. */
export type Rounding = 'none' | 'x.99' | 'x.95' | 'x.90' | 'whole';

/** What a quote must obey. All amounts in integer minor units of one currency; bounds are inclusive. */
export interface QuoteRules {
  listPriceMinor: number;
  costMinor: number;
  floorMinor: number;
  ceilingMinor: number;
  /** Least distance of two admissible prices, at least 1. */
  stepMinor: number;
  rounding: Rounding;
  /** Digits of the currency after the decimal point; 2 when absent. */
  minorDigits?: number;
  /** Units that can be sold; null = not limited. */
  stock: number | null;
  /** What the price is to earn; margin when absent. */
  objective?: PriceObjective;
}

/** Lowest and highest price that demand was observed at, in minor units. */
export interface SeenPrices {
  lowMinor: number;
  highMinor: number;
}

/** The prices of one quote's search. Demand is asked for at `demandAt`, in this order; nothing else is needed of the model. */
export interface PricePlan {
  /** Prices over the seen range that show what the rules change. */
  free: number[];
  /** Prices that obey floor, ceiling, step and rounding, ascending; never empty. */
  admissible: number[];
  /** `free` then `admissible`, each moved to the nearest price seen: demand is never extrapolated. */
  demandAt: number[];
  /** True where no admissible price lies in the seen range; then the nearest admissible price is the only one. */
  outsideSeen: boolean;
  seen: SeenPrices;
}

const FREE_PRICES = 64;
const MAX_ADMISSIBLE = 256;
const ENDINGS = { 'x.99': 0.99, 'x.95': 0.95, 'x.90': 0.9, whole: 0 } as const;

/**
 * Lists the prices to search. The first admissible price is the lowest one at or above the floor that ends as the rounding wants; the
 * others follow at the smallest multiple of its period that is at least the step (where more than 256 would fit, a larger multiple and the highest one).
 *
 * @param seen  null for a product without observations: demand is then taken at the list price
 * @throws DomainError INVALID_INPUT for a floor above the ceiling, an amount that is no integer in range, or rules that leave no price
 */
export function planPrices(rules: QuoteRules, seen: SeenPrices | null): PricePlan {
  checkRules(rules);
  const range = seen ?? { lowMinor: rules.listPriceMinor, highMinor: rules.listPriceMinor };
  const inside = pricesBetween(
    rules,
    Math.max(rules.floorMinor, range.lowMinor),
    Math.min(rules.ceilingMinor, range.highMinor),
  );
  const admissible = inside.length > 0 ? inside : [nearestConforming(rules, range)];
  const free = evenly(range);
  const demandAt = [...free, ...admissible].map((price) => clamp(price, range));
  return { free, admissible, demandAt, outsideSeen: inside.length === 0, seen: range };
}

function checkRules(rules: QuoteRules): void {
  const amounts = ['listPriceMinor', 'costMinor', 'floorMinor', 'ceilingMinor', 'stepMinor'] as const;
  for (const path of amounts) {
    if (!Number.isSafeInteger(rules[path]) || rules[path] < (path === 'stepMinor' ? 1 : 0)) {
      throw new DomainError(
        'INVALID_INPUT',
        `${path} must be an integer number of minor units in range, got ${rules[path]}`,
        { path },
      );
    }
  }
  if (rules.stock !== null && !(rules.stock >= 0)) {
    throw new DomainError('INVALID_INPUT', `stock must not be negative, got ${rules.stock}`, {
      path: 'stock',
    });
  }
  if (rules.floorMinor > rules.ceilingMinor) {
    throw new DomainError(
      'INVALID_INPUT',
      `the floor ${rules.floorMinor} is above the ceiling ${rules.ceilingMinor}`,
      { path: 'floorMinor' },
    );
  }
}

/** Conforming prices in [low, high], anchored at the floor so that a range inside it picks from the same grid. */
function pricesBetween(rules: QuoteRules, low: number, high: number): number[] {
  const { period, ending } = periodOf(rules);
  const first = conformingAtOrAbove(rules.floorMinor, period, ending);
  const stride = period * Math.ceil(rules.stepMinor / period);
  const start = first + stride * Math.max(0, Math.ceil((low - first) / stride));
  if (start > high) return [];
  const count = Math.floor((high - start) / stride) + 1;
  const thinned = stride * Math.ceil(count / (MAX_ADMISSIBLE - 1));
  const last = start + (count - 1) * stride;
  const prices = Array.from(
    { length: Math.floor((last - start) / thinned) + 1 },
    (_, k) => start + k * thinned,
  );
  return prices.at(-1) === last ? prices : [...prices, last];
}

/** The conforming price between floor and ceiling that is nearest to the seen range. */
function nearestConforming(rules: QuoteRules, seen: SeenPrices): number {
  const { period, ending } = periodOf(rules);
  const stride = period * Math.ceil(rules.stepMinor / period);
  const first = conformingAtOrAbove(rules.floorMinor, period, ending);
  if (first > rules.ceilingMinor) {
    throw new DomainError(
      'INVALID_INPUT',
      `no price from ${rules.floorMinor} to ${rules.ceilingMinor} ends as ${rules.rounding}`,
      { path: 'rounding' },
    );
  }
  const last = first + stride * Math.floor((rules.ceilingMinor - first) / stride);
  const target = clamp(rules.listPriceMinor, seen);
  const below = first + stride * Math.floor((target - first) / stride);
  const nearest = target - below <= below + stride - target ? below : below + stride;
  return Math.min(last, Math.max(first, nearest));
}

/** Prices congruent to `ending` modulo `period` conform. A currency without minor digits rounds in hundreds (x.99: 199, 299, …). */
function periodOf({ rounding, minorDigits = 2 }: QuoteRules): { period: number; ending: number } {
  if (rounding === 'none') return { period: 1, ending: 0 };
  if (rounding === 'whole') return { period: 10 ** minorDigits, ending: 0 };
  const period = minorDigits === 0 ? 100 : 10 ** minorDigits;
  return { period, ending: Math.round(ENDINGS[rounding] * period) % period };
}

function conformingAtOrAbove(price: number, period: number, ending: number): number {
  return price + ((((ending - price) % period) + period) % period);
}

function evenly({ lowMinor, highMinor }: SeenPrices): number[] {
  const prices = new Set<number>();
  for (let k = 0; k < FREE_PRICES; k++)
    prices.add(Math.round(lowMinor + ((highMinor - lowMinor) * k) / (FREE_PRICES - 1)));
  return [...prices];
}

function clamp(price: number, { lowMinor, highMinor }: SeenPrices): number {
  return Math.min(highMinor, Math.max(lowMinor, price));
}
