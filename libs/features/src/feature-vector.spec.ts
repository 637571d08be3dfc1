import { describe, expect, it } from 'vitest';
import { emptyState } from './customer-state.js';
import { featureReader, featureVector } from './feature-vector.js';
import { foldEvents } from './fold-events.js';
import type { StoredEvent } from './stored-event.js';

const NOW = new Date('2026-03-01T00:00:00Z');
const event = (type: string, daysAgo: number, properties: object = {}): StoredEvent =>
  ({
    _id: `t ${type}${daysAgo}`,
    tenantId: 't',
    customerId: 'c',
    type,
    at: new Date(NOW.getTime() - daysAgo * 86_400_000),
    properties,
  }) as StoredEvent;
const lines = [{ productId: 'p1', quantity: 2, unitPrice: { amount: '5.00', currency: 'EUR' } }];
const busy = foldEvents(emptyState('c'), [
  event('page_visit', 20, { channel: 'web', device: 'phone', durationSeconds: 30 }),
  event('product_view', 19, { productId: 'p1' }),
  event('order', 7, { lines, currency: 'EUR' }),
  event('email_sent', 6),
  event('email_open', 5),
  event('profile_update', 4, { plan: 'gold', isStaff: true, age: 40 }),
  event('lead_submitted', 3, { budget: 1_000, industry: 'steel' }),
]);

describe('a feature vector', () => {
  it('holds decays and recencies as of the instant, traits and form fields', () => {
    expect(featureVector(busy, NOW)).toMatchObject({
      'tenure.days': 20,
      'count.order.total': 1,
      'count.order.7d': 0.5,
      'recency.order.days': 7,
      'visit.seconds.total': 30,
      'products.distinct': 1,
      'trait.plan': 'gold',
      'trait.isStaff': 1,
      'form.budget': 1_000,
      'count.email_click.total': 0,
      'email.clickRate.30d': 0,
      'recency.email_click.days': null,
    });
  });

  it.each([
    ['a busy customer', busy],
    ['somebody of whom nothing is known', emptyState('c')],
  ])('is what one reader a name gives, for %s', (_who, state) => {
    const vector = featureVector(state, NOW);
    expect(Object.keys(vector).length).toBeGreaterThan(75);
    for (const [name, value] of Object.entries(vector)) {
      expect([name, featureReader(name)(state, NOW.getTime())]).toEqual([name, value]);
    }
  });

  it('has null under every other name, the names of an object’s own workings among them', () => {
    for (const name of ['nothing', 'trait.unknown', 'form.', 'trait.constructor', 'constructor'])
      expect(featureReader(name)(busy, NOW.getTime())).toBeNull();
  });
});
