import { beforeAll, describe, expect, it } from 'vitest';
import { accountRef, customerRef, DAY_MS } from '../company-plan.js';
import { orderLines, simulateCompany, type SimulatedEvent } from '../simulated-company.fixture.js';

const PLAN = { customers: 2_000, products: 200, accounts: 50, days: 90, seed: 7 };

let company: ReturnType<typeof simulateCompany>;
beforeAll(() => {
  company = simulateCompany(PLAN);
});

const ofType = (type: string) => company.events.filter((event) => event.type === type);
const countBy = (keys: readonly (string | number)[]) => {
  const counts = new Map<string | number, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
};
const byCustomer = (events: readonly SimulatedEvent[]) =>
  Map.groupBy(events, (event) => event.customerRef ?? '');

describe('a simulated company', () => {
  it('keeps every event inside the period and in the order of time', () => {
    const { startMs, plan } = company.simulation.company;
    expect(company.events.every(({ atMs }) => atMs >= startMs && atMs < plan.untilMs)).toBe(true);
    expect(
      company.events.every(({ atMs }, i) => i === 0 || (company.events[i - 1]?.atMs ?? Infinity) <= atMs),
    ).toBe(true);
  });

  it('names only products, accounts and customers that it has', () => {
    const products = new Set(company.simulation.company.assortment.products.map(({ id }) => id));
    const customers = new Set(Array.from({ length: PLAN.customers }, (_, i) => customerRef(i)));
    const accounts = new Set(Array.from({ length: PLAN.accounts }, (_, i) => accountRef(i)));
    const strangers = company.events.filter(({ type, customerRef: ref, properties }) => {
      const { productId, accountRef: account, lines } = properties;
      const ordered = type === 'order' ? (lines as { productId: string }[]) : [];
      return !(
        (ref === undefined || customers.has(ref)) &&
        (productId === undefined || products.has(String(productId))) &&
        (account === undefined || accounts.has(String(account))) &&
        ordered.every((line) => products.has(line.productId))
      );
    });
    expect(strangers).toEqual([]);
    expect(new Set(company.events.map(({ customerRef: ref }) => ref)).size).toBeGreaterThan(
      0.9 * PLAN.customers,
    );
  });

  it('sells at the price that the latest price change set, and shows no product before its launch', () => {
    const prices = new Map<unknown, unknown>();
    const wrong: SimulatedEvent[] = [];
    let sold = 0;
    for (const event of company.events) {
      const { productId, price } = event.properties;
      if (event.type === 'price_change') prices.set(productId, price);
      if (event.type === 'product_view' && prices.get(productId) !== price) wrong.push(event);
      if (event.type !== 'order') continue;
      if (orderLines(event).some((line) => prices.get(line.productId) !== line.unitPrice)) wrong.push(event);
      sold++;
    }
    expect(wrong).toEqual([]);
    expect(sold).toBeGreaterThan(1_000);
  });

  it('answers a lead at most once, within weeks of the form and before the next one', () => {
    let answered = 0;
    for (const [, events] of byCustomer(company.events)) {
      let openSince: number | null = null;
      for (const { type, atMs } of events) {
        if (type === 'lead_submitted') openSince = atMs;
        if (type !== 'sales_outcome') continue;
        expect(openSince).not.toBeNull();
        expect(atMs - (openSince ?? 0)).toBeLessThan(46 * DAY_MS);
        openSince = null;
        answered++;
      }
    }
    expect(answered).toBeGreaterThan(100);
  });

  it('opens only mails that were sent, and clicks only those that were opened', () => {
    const seen = {
      email_sent: new Set<unknown>(),
      email_open: new Set<unknown>(),
      email_click: new Set<unknown>(),
    };
    for (const { type, properties } of company.events) {
      const id = properties['messageId'];
      if (type === 'email_sent') expect(seen.email_sent.has(id)).toBe(false);
      if (type === 'email_open') expect(seen.email_sent).toContain(id);
      if (type === 'email_click') expect(seen.email_open).toContain(id);
      if (type in seen) seen[type as keyof typeof seen].add(id);
    }
    expect(seen.email_click.size).toBeGreaterThan(50);
  });

  it('has a few products that many look at: a tenth of them gets two fifths of the views or more', () => {
    const counts = [
      ...countBy(ofType('product_view').map(({ properties }) => String(properties['productId']))).values(),
    ];
    const top = counts.sort((a, b) => b - a).slice(0, PLAN.products / 10);
    const share = top.reduce((sum, n) => sum + n, 0) / ofType('product_view').length;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.8);
  });

  it('is busier in the evening than at night, and at weekends than midweek', () => {
    const visits = ofType('page_visit').map(({ atMs }) => new Date(atMs));
    const hours = countBy(visits.map((at) => at.getUTCHours()));
    const days = countBy(visits.map((at) => at.getUTCDay()));
    expect(hours.get(20) ?? 0).toBeGreaterThan(10 * (hours.get(3) ?? 0));
    expect(days.get(0) ?? 0).toBeGreaterThan(1.2 * (days.get(3) ?? 0));
  });

  it('has customers with no event at all and some with exactly one', () => {
    const counts = [...byCustomer(company.events.filter(({ customerRef: ref }) => ref)).values()].map(
      ({ length }) => length,
    );
    expect(counts.length).toBeLessThan(0.99 * PLAN.customers);
    expect(counts.filter((n) => n === 1).length).toBeGreaterThan(0.02 * PLAN.customers);
    expect(Math.max(...counts)).toBeGreaterThan(5 * (company.events.length / PLAN.customers));
  });

  it('launches some products late, and leaves fields of forms and profiles empty', () => {
    const { assortment, startMs } = company.simulation.company;
    const first = new Map<unknown, number>();
    for (const { properties, atMs } of ofType('price_change')) {
      if (!first.has(properties['productId']))
        first.set(properties['productId'], Math.floor((atMs - startMs) / DAY_MS));
    }
    expect(assortment.products.filter(({ launchDay }) => launchDay > PLAN.days / 2).length).toBeGreaterThan(
      0,
    );
    for (const { id, launchDay } of assortment.products) expect(first.get(id)).toBe(launchDay);
    const missing = (type: string, field: string) =>
      ofType(type).filter(({ properties }) => properties[field] === undefined).length / ofType(type).length;
    expect(missing('lead_submitted', 'budget')).toBeGreaterThan(0.2);
    expect(missing('profile_update', 'ageBand')).toBeGreaterThan(0.2);
    expect(missing('lead_submitted', 'source')).toBe(0);
  });

  it('changes prices often enough, and up as well as down, to learn demand from', () => {
    const changes = ofType('price_change').length - PLAN.products;
    expect(changes).toBeGreaterThan(PLAN.products * (PLAN.days / 7) * 0.2);
    const { prices } = company.simulation.company;
    const relative = Array.from(prices.list, (list, i) => list / (prices.reference[i] ?? 1));
    expect(Math.min(...relative)).toBeLessThan(0.99);
    expect(Math.max(...relative)).toBeGreaterThan(1.01);
  });
});

describe('the size of a simulated company', () => {
  it.each([
    { customers: 1_000, days: 30, eventsPerCustomer: 20 },
    { customers: 1_000, days: 120, eventsPerCustomer: 60 },
    { customers: 3_000, days: 60, eventsPerCustomer: 40 },
  ])('is about $eventsPerCustomer events for each of $customers customers in $days days', (changes) => {
    const { events } = simulateCompany({ ...changes, products: 100, accounts: 20, seed: 3 });
    const perCustomer = events.filter(({ customerRef: ref }) => ref !== undefined).length / changes.customers;
    expect(Math.abs(perCustomer / changes.eventsPerCustomer - 1)).toBeLessThan(0.12);
  });

  it('may be as small as one customer, one product, one day and no account', () => {
    const { events } = simulateCompany({ customers: 1, products: 1, accounts: 0, days: 1 });
    expect(events.some(({ type }) => type === 'price_change')).toBe(true);
  });
});
