import { describe, expect, it } from 'vitest';
import { DAY_MS } from './decayed-counter.js';
import { addPurchase, type PurchaseDays, purchaseSummary } from './purchase-days.js';

function summary(purchases: readonly [day: number, value: number][], at: number) {
  const days = purchases.reduce<PurchaseDays | null>(
    (known, [day, value]) => addPurchase(known, { at: day * DAY_MS + 1000, value, currency: 'EUR' }),
    null,
  );
  return purchaseSummary(days, new Date(at * DAY_MS));
}

describe('purchaseSummary', () => {
  it('counts days, not orders, and means over the repeats', () => {
    const purchases: [number, number][] = [
      [10, 99],
      [12, 20],
      [12, 40],
      [20, 20],
    ];
    expect(summary(purchases, 31)).toEqual({
      repeats: 2,
      recencyDays: 10,
      ageDays: 21,
      meanRepeatValue: 40,
      meanValue: 179 / 3,
      currency: 'EUR',
    });
  });

  it('knows no repeat of a single purchase, and nobody without one', () => {
    expect(summary([[10, 5]], 10)).toEqual({
      repeats: 0,
      recencyDays: 0,
      ageDays: 0,
      meanRepeatValue: null,
      meanValue: 5,
      currency: 'EUR',
    });
    expect(purchaseSummary(null, new Date())).toBeNull();
    expect(summary([[10, -5]], 11)).toBeNull();
  });

  it('takes a day of negative value for a refund, newest purchases first', () => {
    const bought: [number, number][] = [
      [1, 10],
      [2, 20],
      [3, 30],
    ];
    expect(summary([...bought, [5, -35]], 9)).toMatchObject({
      repeats: 2,
      recencyDays: 2,
      meanRepeatValue: 7.5,
    });
    expect(summary([...bought, [5, -55]], 9)).toMatchObject({ meanRepeatValue: 0, meanValue: 5 / 3 });
    expect(summary([...bought, [5, -99]], 9)).toMatchObject({ meanRepeatValue: 0, meanValue: 0 });
    expect(summary([...bought, [3, -30]], 9)).toMatchObject({ repeats: 2, meanRepeatValue: 10 });
  });

  it('an instant before the last purchase does not make an age shorter than the recency', () => {
    expect(
      summary(
        [
          [1, 10],
          [8, 10],
        ],
        5,
      ),
    ).toMatchObject({ recencyDays: 7, ageDays: 7 });
  });
});
