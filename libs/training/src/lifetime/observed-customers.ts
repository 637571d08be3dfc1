import {
  netPurchases,
  type PurchaseDay,
  type PurchaseHistories,
  purchaseHistory,
  toHistories,
} from '@sextant/learning/lifetime';

/** Customers seen until a day, and what they did in the days after it. */
export interface ObservedCustomers {
  histories: PurchaseHistories;
  /** Purchase days after `until`, shape [n]. */
  purchases: Float64Array;
  /** Value of those, net of refunds; NaN where orders have no value. */
  spend: Float64Array;
}

export interface Observation {
  /** Last day that counts as known. */
  until: number;
  /** Last day of what came after; `until` when absent. */
  end?: number;
  periodDays: number;
}

/** Customers with a purchase up to `until`; the others are not known yet, so nobody can forecast them. */
export function observeCustomers(
  customers: readonly (readonly PurchaseDay[])[],
  { until, end = until, periodDays }: Observation,
): ObservedCustomers {
  const rows = [];
  const purchases: number[] = [];
  const spend: number[] = [];
  for (const days of customers) {
    const history = purchaseHistory(days, { until, periodDays });
    if (history === null) continue;
    rows.push(history);
    const after = netPurchases(
      days.filter(({ day }) => day > until),
      end,
    );
    purchases.push(after.length);
    spend.push(after.reduce((sum, { value }) => sum + value, 0));
  }
  return {
    histories: toHistories(rows),
    purchases: Float64Array.from(purchases),
    spend: Float64Array.from(spend),
  };
}

/** First day of any purchase; Infinity without one. */
export function firstDayOf(customers: readonly (readonly PurchaseDay[])[]): number {
  let first = Infinity;
  for (const days of customers) for (const { day } of days) first = Math.min(first, day);
  return first;
}

export function lastDayOf(customers: readonly (readonly PurchaseDay[])[]): number {
  let last = -Infinity;
  for (const days of customers) for (const { day } of days) last = Math.max(last, day);
  return last;
}
