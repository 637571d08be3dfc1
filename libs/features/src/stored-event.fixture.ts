import fc from 'fast-check';
import { DAY_MS } from './decayed-counter.js';
import { CUSTOMER_EVENT_TYPES, type StoredEvent } from './stored-event.js';

let made = 0;

/** Builder for tests: a page visit of customer `c` in tenant `t` unless said otherwise. */
export function anEvent(event: Partial<StoredEvent> = {}): StoredEvent {
  const type = event.type ?? 'page_visit';
  made += 1;
  return {
    _id: `t:e${made}`,
    tenantId: 't',
    customerId: 'c',
    type,
    at: new Date(0),
    properties: {},
    ...event,
  };
}

/** Arbitrary histories of one customer over thirty days, several events to an instant, in any order. */
export function anyEvents(): fc.Arbitrary<StoredEvent[]> {
  const product = fc.constantFrom('p', 'q', 'r');
  const event = fc.record({
    type: fc.constantFrom(...CUSTOMER_EVENT_TYPES, 'something_else'),
    halfDay: fc.nat(60),
    product,
    quantity: fc.integer({ min: 1, max: 5 }),
    won: fc.boolean(),
    purpose: fc.constantFrom('TRAINING', 'ADS', 'nothing known'),
    state: fc.constantFrom('GRANTED', 'DENIED', 'UNKNOWN'),
  });
  return fc.array(event, { maxLength: 40 }).map((rows) =>
    rows.map(({ type, halfDay, product: productId, quantity, won, purpose, state }, i) =>
      anEvent({
        _id: `t:${i}`,
        type,
        at: new Date(Date.UTC(2026, 0, 1) + (halfDay * DAY_MS) / 2),
        properties: {
          productId,
          won,
          purpose,
          state,
          channel: productId,
          durationSeconds: quantity,
          value: quantity,
          lines: [{ productId, quantity, unitPrice: '2.50' }],
        },
      }),
    ),
  );
}
