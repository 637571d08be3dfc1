/** What a price is chosen for. */
export type PriceObjective = 'margin' | 'revenue';

/** units × (price − cost), or units × price; minor units of money a period. */
export function earnings(
  objective: PriceObjective,
  { units, priceMinor, costMinor }: { units: number; priceMinor: number; costMinor: number },
): number {
  return units * (objective === 'margin' ? priceMinor - costMinor : priceMinor);
}
