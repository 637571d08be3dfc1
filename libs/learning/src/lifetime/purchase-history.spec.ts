import { describe, expect, it } from 'vitest';
import { netPurchases, purchaseHistory } from './purchase-history.js';

const WEEKLY = { until: 272, periodDays: 7 };

describe('purchaseHistory', () => {
  it('counts days, not lines, after the first, and means over the repeats only', () => {
    const days = [
      { day: 11, value: 12 },
      { day: 0, value: 99 },
      { day: 11, value: 77 },
      { day: 213, value: 11 },
    ];
    expect(purchaseHistory(days, WEEKLY)).toEqual({
      frequency: 2,
      recency: 213 / 7,
      age: 272 / 7,
      meanSpend: 50,
      meanValue: 199 / 3,
    });
  });

  it('knows no spend without a repeat, and no customer without a purchase by then', () => {
    expect(purchaseHistory([{ day: 200, value: 5 }], WEEKLY)).toEqual({
      frequency: 0,
      recency: 0,
      age: 72 / 7,
      meanSpend: Number.NaN,
      meanValue: 5,
    });
    expect(purchaseHistory([{ day: 272, value: 5 }], WEEKLY)?.age).toBe(0);
    expect(purchaseHistory([{ day: 273, value: 5 }], WEEKLY)).toBeNull();
    expect(purchaseHistory([], WEEKLY)).toBeNull();
  });

  it('takes a day of negative value for a refund of what was bought before', () => {
    const days = [
      { day: 0, value: 10 },
      { day: 1, value: 20 },
      { day: 2, value: 30 },
      { day: 5, value: -35 },
    ];
    expect(netPurchases(days, 10)).toEqual([
      { day: 0, value: 10 },
      { day: 1, value: 15 },
      { day: 2, value: 0 },
    ]);
    expect(purchaseHistory(days, { until: 10, periodDays: 1 })).toEqual({
      frequency: 2,
      recency: 2,
      age: 10,
      meanSpend: 7.5,
      meanValue: 25 / 3,
    });
  });

  it('keeps purchases of value 0 and of unknown value', () => {
    expect(
      netPurchases(
        [
          { day: 3, value: 0 },
          { day: 4, value: 0.1 + 0.2 },
          { day: 4, value: -0.3 },
        ],
        9,
      ),
    ).toEqual([
      { day: 3, value: 0 },
      { day: 4, value: 0 },
    ]);
    const unknown = [
      { day: 3, value: Number.NaN },
      { day: 4, value: Number.NaN },
    ];
    expect(purchaseHistory(unknown, { until: 10, periodDays: 1 })).toEqual({
      frequency: 1,
      recency: 1,
      age: 7,
      meanSpend: Number.NaN,
      meanValue: Number.NaN,
    });
  });

  it('a refund larger than everything bought leaves zeros', () => {
    expect(
      netPurchases(
        [
          { day: 0, value: 5 },
          { day: 1, value: -9 },
        ],
        9,
      ),
    ).toEqual([{ day: 0, value: 0 }]);
    expect(netPurchases([{ day: 1, value: -9 }], 9)).toEqual([]);
  });
});
