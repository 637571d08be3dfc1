/** What one customer bought on one day; days count from any fixed day. */
export interface PurchaseDay {
  day: number;
  /** Net of refunds, in any one currency; NaN where orders have no value. */
  value: number;
}

/**
 * Customers as the lifetime models see them, one column a statistic, shape [n]. Times are in periods.
 */
export interface PurchaseHistories {
  /** Purchase days after the first. */
  frequency: Float64Array;
  /** From the first purchase to the last; 0 without a repeat. */
  recency: Float64Array;
  /** From the first purchase to the end of observation. */
  age: Float64Array;
  /** Mean value of a purchase day after the first; NaN without a repeat, or where orders have no value. */
  meanSpend: Float64Array;
  /** Mean value of all purchase days, the first included; NaN where orders have no value. */
  meanValue: Float64Array;
}

/** One row of {@link PurchaseHistories}. */
export interface PurchaseHistory {
  frequency: number;
  recency: number;
  age: number;
  meanSpend: number;
  meanValue: number;
}

/** Rounding must not turn 0.1 + 0.2 − 0.3 into a purchase. */
const CENT_FRACTION = 1e-9;

/**
 * One customer's days as statistics. Entries of one day are one purchase. A day of negative net value is a refund and no
 * purchase: it lowers the value of the purchases before it, newest first; a day of value 0 is a purchase.
 *
 * @param days    in any order; days after `until` are ignored
 * @returns       null for a customer without a purchase up to `until`
 */
export function purchaseHistory(
  days: Iterable<PurchaseDay>,
  { until, periodDays }: { until: number; periodDays: number },
): PurchaseHistory | null {
  const purchases = netPurchases(days, until);
  const first = purchases[0];
  const last = purchases.at(-1);
  if (first === undefined || last === undefined) return null;
  const frequency = purchases.length - 1;
  let repeatValue = 0;
  for (let i = 1; i < purchases.length; i++) repeatValue += purchases[i]?.value ?? 0;
  return {
    frequency,
    recency: (last.day - first.day) / periodDays,
    age: (until - first.day) / periodDays,
    meanSpend: frequency === 0 ? Number.NaN : repeatValue / frequency,
    meanValue: (first.value + repeatValue) / purchases.length,
  };
}

/** Rows as columns. */
export function toHistories(rows: readonly PurchaseHistory[]): PurchaseHistories {
  return {
    frequency: Float64Array.from(rows, (row) => row.frequency),
    recency: Float64Array.from(rows, (row) => row.recency),
    age: Float64Array.from(rows, (row) => row.age),
    meanSpend: Float64Array.from(rows, (row) => row.meanSpend),
    meanValue: Float64Array.from(rows, (row) => row.meanValue),
  };
}

/** Purchase days up to `until`, ascending, refunds taken off. */
export function netPurchases(days: Iterable<PurchaseDay>, until: number): PurchaseDay[] {
  const byDay = new Map<number, number>();
  for (const { day, value } of days) {
    if (day <= until) byDay.set(day, (byDay.get(day) ?? 0) + value);
  }
  const purchases: PurchaseDay[] = [];
  for (const [day, value] of [...byDay].sort(([a], [b]) => a - b)) {
    if (value < -CENT_FRACTION) refund(purchases, -value);
    else purchases.push({ day, value: Math.abs(value) <= CENT_FRACTION ? 0 : value });
  }
  return purchases;
}

function refund(purchases: PurchaseDay[], amount: number): void {
  let open = amount;
  for (let i = purchases.length - 1; i >= 0 && open > 0; i--) {
    const purchase = purchases[i];
    if (purchase === undefined) continue;
    const taken = Math.min(open, purchase.value);
    purchase.value -= taken;
    open -= taken;
  }
}
