import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyState } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { featureVector, leadVector } from './feature-vector.js';
import { foldEvents, MAX_TRAITS } from './fold-events.js';
import { interactionRows, MAX_INTERACTIONS } from './interactions.js';
import { anEvent, anyEvents } from './stored-event.fixture.js';
import { compareEvents } from './stored-event.js';

const START = Date.UTC(2026, 0, 1);
const at = (days: number): Date => new Date(START + days * DAY_MS);

describe('foldEvents', () => {
  it('decays a count to a half after one half-life, to a quarter after two', () => {
    const state = foldEvents(emptyState('c'), [anEvent({ type: 'page_visit', at: at(0) })]);
    const vector = featureVector(state, at(14));
    expect(vector['count.page_visit.7d']).toBeCloseTo(0.25, 12);
    expect(vector['count.page_visit.1d']).toBeCloseTo(2 ** -14, 12);
    expect(vector['count.page_visit.total']).toBe(1);
    expect(vector['recency.page_visit.days']).toBe(14);
    expect(vector['recency.order.days']).toBeNull();
  });

  it('keeps the latest word about each purpose, which is no sign of life and no feature', () => {
    const consent = (day: number, properties: Record<string, unknown>) =>
      anEvent({ type: 'consent_changed', at: at(day), properties });
    const visit = anEvent({ type: 'page_visit', at: at(0) });
    const state = foldEvents(emptyState('c'), [
      visit,
      consent(1, {
        purpose: 'TRAINING',
        state: 'GRANTED',
        expiresAt: '2027-01-01T00:00:00Z',
        proof: 'form 7',
      }),
      consent(2, { purpose: 'ADS', state: 'DENIED', lawfulBasis: 'consent' }),
      consent(3, { purpose: 'ADS', state: 'UNKNOWN' }),
      consent(4, { purpose: 'no purpose', state: 'DENIED' }),
    ]);
    expect(state.consents).toEqual({
      TRAINING: {
        state: 'GRANTED',
        at: at(1).getTime(),
        lawfulBasis: null,
        expiresAt: Date.UTC(2027, 0, 1),
        proof: 'form 7',
      },
      ADS: { state: 'UNKNOWN', at: at(3).getTime(), lawfulBasis: null, expiresAt: null, proof: null },
    });
    const alone = foldEvents(emptyState('c'), [visit]);
    expect(state.lastActiveAt).toBe(at(0).getTime());
    expect(featureVector(state, at(5))).toEqual(featureVector(alone, at(5)));
  });

  it('knows order value, units, mail engagement and the latest traits and form', () => {
    const state = foldEvents(emptyState('c'), [
      anEvent({
        type: 'profile_update',
        at: at(0),
        properties: { accountRef: 'acme', city: 'Bern', vip: true },
      }),
      anEvent({ type: 'email_sent', at: at(1) }),
      anEvent({ type: 'email_sent', at: at(1) }),
      anEvent({ type: 'email_open', at: at(1) }),
      anEvent({
        type: 'order',
        at: at(2),
        properties: { lines: [{ productId: 'p', quantity: 2, unitPrice: '10.50' }] },
      }),
      anEvent({
        type: 'order',
        at: at(2),
        properties: { lines: [{ productId: 'q', quantity: 1, unitPrice: '9.00' }] },
      }),
      anEvent({ type: 'profile_update', at: at(3), properties: { city: 'Basel' } }),
      anEvent({ type: 'lead_submitted', at: at(4), properties: { employees: 12 } }),
    ]);
    expect(featureVector(state, at(4))).toMatchObject({
      'order.value.total': 30,
      'order.value.mean': 15,
      'order.value.last': 9,
      'order.units.total': 3,
      'email.openRate.90d': 0.5,
      'trait.city': 'Basel',
      'trait.vip': 1,
      'form.employees': 12,
      'products.distinct': 2,
    });
    expect(state.accountRef).toBe('acme');
    expect(state.engagedAt).toBe(at(2).getTime());
  });

  it('keeps the newest interactions and forgets the rest', () => {
    const events = Array.from({ length: MAX_INTERACTIONS + 5 }, (_, i) =>
      anEvent({ type: 'product_view', at: new Date(START + i), properties: { productId: `p${i}` } }),
    );
    const rows = interactionRows(foldEvents(emptyState('c'), events).interactions);
    expect(rows).toHaveLength(MAX_INTERACTIONS);
    expect(rows[0]?.productId).toBe('p5');
    expect(rows.at(-1)).toEqual({
      productId: 'p1004',
      at: START + 1004,
      kind: 'view',
      value: 1,
      relevant: true,
    });
  });

  it('keeps value and relevance of interactions', () => {
    const events = [
      anEvent({ type: 'interaction', at: at(0), properties: { productId: 'p', value: 5 } }),
      anEvent({ type: 'interaction', at: at(1), properties: { productId: 'q', value: 1, relevant: false } }),
    ];
    const rows = interactionRows(foldEvents(emptyState('c'), events).interactions);
    expect(rows.map(({ value, relevant }) => [value, relevant])).toEqual([
      [5, true],
      [1, false],
    ]);
  });

  it('bounds traits and takes no name for a prototype', () => {
    const many = Object.fromEntries(Array.from({ length: MAX_TRAITS + 50 }, (_, i) => [`t${i}`, i]));
    const properties = JSON.parse(`{"__proto__": "x", "a.b": 1, "$c": 2, "": 3}`) as Record<string, unknown>;
    const state = foldEvents(emptyState('c'), [
      anEvent({ type: 'profile_update', at: at(0), properties }),
      anEvent({ type: 'profile_update', at: at(1), properties: many }),
      anEvent({ type: 'profile_update', at: at(2), properties: { 'a.b': 4 } }),
    ]);
    expect(Object.keys(state.traits)).toHaveLength(MAX_TRAITS);
    expect(state.traits).toMatchObject({ 'a.b': 4, $c: 2, '': 3 });
    expect(Object.getPrototypeOf(state.traits)).toBe(Object.prototype);
  });

  it('refuses an event before the last one', () => {
    const state = foldEvents(emptyState('c'), [anEvent({ at: at(1) })]);
    expect(() => foldEvents(state, [anEvent({ at: at(0) })])).toThrow(RangeError);
    expect(() => foldEvents(state, [anEvent({ at: at(1) })])).not.toThrow();
  });

  it('gives the same state in one part and in two, and leaves its input alone', () => {
    fc.assert(
      fc.property(anyEvents(), fc.nat(40), (events, cut) => {
        const ordered = events.toSorted(compareEvents);
        const empty = emptyState('c');
        const half = foldEvents(empty, ordered.slice(0, cut));
        const kept = structuredClone(half);
        expect(foldEvents(half, ordered.slice(cut))).toEqual(foldEvents(empty, events));
        expect(half).toEqual(kept);
        expect(empty).toEqual(emptyState('c'));
      }),
      { numRuns: 100 },
    );
  });

  it('has no sales outcome in any vector, not even as a count', () => {
    const form = anEvent({ _id: 't:1', type: 'lead_submitted', at: at(1), properties: { a: 1 } });
    const outcome = anEvent({
      _id: 't:0',
      type: 'sales_outcome',
      at: at(1),
      properties: { won: true, value: '9.00' },
    });
    const without = foldEvents(emptyState('c'), [form]);
    const withOutcome = foldEvents(emptyState('c'), [outcome, form]);
    expect(leadVector(withOutcome)).toEqual(leadVector(without));
    expect(featureVector(withOutcome, at(9))).toEqual(featureVector(without, at(9)));
  });
});
