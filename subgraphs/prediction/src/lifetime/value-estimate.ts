/** What a customer will still buy, in major units of the currency. */
export interface ValueEstimate {
  value: number;
  low: number;
  high: number;
  /** coverage that the interval claims */
  level: number;
  probabilityAlive: number;
  expectedPurchases: number;
  /** ISO 4217 */
  currency: string;
}
