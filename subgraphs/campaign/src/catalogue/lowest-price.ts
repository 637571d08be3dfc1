import type { MinorMoney } from '@sextant/domain';

/** Days that `lowestPrice30d` looks back. */
export const LOWEST_PRICE_DAYS = 30;

/**
 * The lowest of the prices that are in the currency of the current one.
 *
 * @param current  the list price in force, or null without one
 * @param prices   every list price in force at some moment of the window
 * @returns        null without a current price; never above it
 */
export function lowestPrice(current: MinorMoney | null, prices: readonly MinorMoney[]): MinorMoney | null {
  if (!current) return null;
  const comparable = prices.filter(({ currency }) => currency === current.currency);
  return comparable.reduce(
    (lowest, price) => (price.amountMinor < lowest.amountMinor ? price : lowest),
    current,
  );
}
