import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../company-plan.js';
import { simulateCompany } from '../simulated-company.fixture.js';
import { persuasionOf, upliftOf } from '../truth/persuasion.js';
import { retentionTruth } from '../truth/retention-truth.js';
import { RETENTION_HORIZON_DAYS } from './retention.js';

const { simulation, events, retentions } = simulateCompany({ customers: 2_500, products: 60, accounts: 20 });
const assigned = events.filter(({ type }) => type === 'campaign_assigned');

describe('the retention experiment', () => {
  it('draws each possible arm equally often, and mails nobody who did not subscribe', () => {
    const both = assigned.filter(({ properties }) => properties['choices'] === 'none,discount-mail,call');
    for (const action of ['none', 'discount-mail', 'call']) {
      const share = both.filter(({ properties }) => properties['action'] === action).length / both.length;
      expect(share).toBeCloseTo(1 / 3, 1);
    }
    const others = assigned.filter(({ properties }) => properties['choices'] === 'none,call');
    expect(others.length + both.length).toBe(assigned.length);
    expect(others.some(({ properties }) => properties['action'] === 'discount-mail')).toBe(false);
  });

  it('changes orders by what the truth says, and leaves the control group as it was', () => {
    const truth = retentionTruth(simulation.company.population, retentions);
    const orders = new Map<string, number[]>();
    for (const { type, atMs, customerRef = '' } of events)
      if (type === 'order') orders.set(customerRef, [...(orders.get(customerRef) ?? []), atMs]);
    const has = (customerRef: string, at: string): number => {
      const from = Date.parse(at);
      const until = from + RETENTION_HORIZON_DAYS * DAY_MS;
      return Number((orders.get(customerRef) ?? []).some((atMs) => atMs >= from && atMs < until));
    };
    const mean = (values: number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    const control = truth.filter(({ action }) => action === 'none');
    const anyway = mean(control.map(({ anyway: p }) => p));
    expect(mean(control.map(({ customerRef, at }) => has(customerRef, at)))).toBeCloseTo(anyway, 1);
    const mailed = truth.filter(({ action }) => action === 'discount-mail');
    const expected = mean(mailed.map(({ anyway: p, uplift }) => p + uplift['discount-mail']));
    expect(mean(mailed.map(({ customerRef, at }) => has(customerRef, at)))).toBeCloseTo(expected, 1);
  });

  it('knows how often each type of customer orders anyway, and that who has left does not', () => {
    const truth = retentionTruth(simulation.company.population, retentions);
    const gone = retentions.flatMap(({ daysLeft, ordersAnyway }, i) =>
      daysLeft === 0 ? [{ ordersAnyway, anyway: truth[i]?.anyway }] : [],
    );
    expect(gone.length).toBeGreaterThan(50);
    expect(gone.filter(({ ordersAnyway, anyway }) => ordersAnyway || anyway !== 0)).toEqual([]);
    const types = simulation.company.population.type;
    for (const own of Map.groupBy(retentions.keys(), (i) => types[retentions[i]?.customer ?? 0]).values()) {
      const ordered = own.filter((i) => retentions[i]?.ordersAnyway).length / own.length;
      const expected = own.reduce((sum, i) => sum + (truth[i]?.anyway ?? 0), 0) / own.length;
      expect(expected).toBeCloseTo(ordered, 6);
    }
  });

  it('has customers whom a mail moves and others whom it puts off', () => {
    const uplifts = retentionTruth(simulation.company.population, retentions).map(
      ({ uplift }) => uplift['discount-mail'],
    );
    expect(uplifts.filter((uplift) => uplift > 0.05).length / uplifts.length).toBeGreaterThan(0.2);
    expect(uplifts.filter((uplift) => uplift < -0.01).length / uplifts.length).toBeGreaterThan(0.05);
  });
});

describe('upliftOf', () => {
  it('gains from those who would not order and loses from those who would', () => {
    expect(upliftOf({ gain: 0.3, loss: 0.1 }, 0)).toBe(0.3);
    expect(upliftOf({ gain: 0.3, loss: 0.1 }, 1)).toBe(-0.1);
    expect(upliftOf({ gain: 0.3, loss: 0.1 }, 0.5)).toBeCloseTo(0.1, 12);
  });

  it('moves readers more than others', () => {
    const context = { openShare: 0.2, fatigue: 1, daysSinceOrder: 30, orders: 2, recentViews: 3 };
    const reader = persuasionOf('discount-mail', { ...context, openShare: 0.7 });
    expect(reader.gain).toBeGreaterThan(persuasionOf('discount-mail', context).gain);
  });
});
