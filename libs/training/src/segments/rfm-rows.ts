import type { RfmRow } from '@sextant/learning/segment';

/** One row of a purchase log. */
export interface Purchase {
  customer: string;
  /** days since 1970 */
  day: number;
  /** major units */
  amount: number;
}

/** Recency, frequency and money of each customer as of the last day of the log; purchases of one day are one. */
export function rfmRows(purchases: readonly Purchase[]): RfmRow[] {
  let last = -Infinity;
  const customers = new Map<string, { days: Set<number>; latest: number; spent: number }>();
  for (const { customer, day, amount } of purchases) {
    last = Math.max(last, day);
    let known = customers.get(customer);
    if (!known) customers.set(customer, (known = { days: new Set(), latest: day, spent: 0 }));
    known.days.add(day);
    known.latest = Math.max(known.latest, day);
    known.spent += amount;
  }
  return [...customers.values()].map(({ days, latest, spent }) => ({
    recencyDays: last - latest,
    frequency: days.size,
    monetary: Math.max(0, spent),
  }));
}
