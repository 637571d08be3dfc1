import { describe, expect, it } from 'vitest';
import { DAY_MS } from './decayed-counter.js';
import { DemandLedger } from './demand-ledger.js';
import { anEvent } from './stored-event.fixture.js';

const at = (days: number): Date => new Date(Date.UTC(2026, 0, 1) + days * DAY_MS);
const order = (days: number, quantity: number, unitPrice: string) =>
  anEvent({ type: 'order', at: at(days), properties: { lines: [{ productId: 'p', quantity, unitPrice }] } });

function observed(...events: Parameters<DemandLedger['add']>[0][]) {
  const ledger = new DemandLedger();
  for (const event of events) ledger.add(event);
  return ledger.observations();
}

describe('DemandLedger', () => {
  it('takes the mean price paid, carries the price in force forward and counts days without orders as 0', () => {
    const rows = observed(
      order(3.5, 1, '6.00'),
      anEvent({
        type: 'price_change',
        at: at(0.1),
        properties: { productId: 'p', price: '10.00', currency: 'EUR' },
      }),
      order(1.2, 3, '8.00'),
      order(1.9, 1, '12.00'),
      anEvent({ type: 'product_view', at: at(2), properties: { productId: 'p', price: '9.00' } }),
    );
    expect(rows.map(({ price, units }) => [price, units])).toEqual([
      [10, 0],
      [9, 4],
      [9, 0],
      [6, 1],
    ]);
    expect(rows[0]).toMatchObject({
      product: 'p',
      at: at(0),
      context: { weekday: 'thu', month: 1, week: 1 },
    });
  });

  it('gives days of one price one price, whatever the quantities', () => {
    const rows = observed(order(0, 3, '46.99'), order(0.1, 4, '46.99'), order(1, 1, '46.99'));
    expect(rows.map(({ price }) => price)).toEqual([46.99, 46.99]);
  });

  it('starts at the first day with a known price and bridges days without any event', () => {
    const rows = observed(
      anEvent({ type: 'product_view', at: at(0), properties: { productId: 'p' } }),
      order(1, 1, '5.00'),
      order(4, 2, '5.00'),
    );
    expect(rows.map(({ at: day, units }) => [day, units])).toEqual([
      [at(1), 1],
      [at(2), 0],
      [at(3), 0],
      [at(4), 2],
    ]);
  });

  it('gives observed sales as they are, with every scalar beside them as context', () => {
    const properties = { productId: 'p', units: 8_256, price: 3.87, store: 's2', feature: true, note: null };
    expect(observed(anEvent({ type: 'sale_observed', at: at(0.25), properties }))).toEqual([
      {
        product: 'p',
        price: 3.87,
        units: 8_256,
        at: at(0.25),
        context: { store: 's2', feature: 1, note: null },
      },
    ]);
  });

  it('does not depend on the order of events and ignores rows without a product or a price', () => {
    const events = [
      order(0, 1, '5.00'),
      order(2, 1, '7.00'),
      anEvent({ type: 'price_change', at: at(1), properties: { productId: 'p', price: '-1' } }),
    ];
    expect(observed(...events.toReversed())).toEqual(observed(...events));
    expect(
      observed(
        anEvent({ type: 'order', properties: { lines: 'none' } }),
        anEvent({ type: 'sale_observed', properties: { units: 1 } }),
      ),
    ).toEqual([]);
  });
});
