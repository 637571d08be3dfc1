import { createHash } from 'node:crypto';

export const DAY_MS = 24 * 60 * 60 * 1000;
export const CURRENCY = 'EUR';

/** Everything that decides what a simulated company looks like: equal plans give equal companies. */
export interface CompanyPlan {
  seed: number;
  customers: number;
  products: number;
  accounts: number;
  days: number;
  /** First instant after the simulated period, midnight UTC, milliseconds since 1970. */
  untilMs: number;
  /** Mean number of events per customer over the whole period. */
  eventsPerCustomer: number;
}

export const DEMO_PLAN: CompanyPlan = {
  seed: 42,
  customers: 5_000,
  products: 500,
  accounts: 100,
  days: 120,
  untilMs: Date.UTC(2026, 0, 1),
  eventsPerCustomer: 60,
};

export function startMs(plan: CompanyPlan): number {
  return plan.untilMs - plan.days * DAY_MS;
}

/** Eight hex digits that tell companies of different plans apart; event ids carry them, so two companies never share an id. */
export function planFingerprint(plan: CompanyPlan): string {
  const { seed, customers, products, accounts, days, untilMs, eventsPerCustomer } = plan;
  const key = [seed, customers, products, accounts, days, untilMs, eventsPerCustomer].join('/');
  return createHash('sha256').update(key).digest('hex').slice(0, 8);
}

export function customerRef(customer: number): string {
  return `shop:${customer + 1}`;
}

export function accountRef(account: number): string {
  return `acc-${account + 1}`;
}

/** EUR amount as a decimal string, e.g. 1290 → "12.90". */
export function euros(amountMinor: number): string {
  const cents = amountMinor % 100;
  return `${(amountMinor - cents) / 100}.${cents < 10 ? '0' : ''}${cents}`;
}
