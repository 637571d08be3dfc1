import { describe, expect, it } from 'vitest';
import { histories } from './lifetime-data.fixture.js';
import {
  discountedMonths,
  forecastLifetime,
  type LifetimeModel,
  MONTH_DAYS,
  purchaseProcess,
} from './lifetime-model.js';

const MODEL: LifetimeModel = {
  process: { family: 'bg-nbd', r: 0.2426, alpha: 4.4136, a: 0.7929, b: 2.4259 },
  spend: { p: 6.25, q: 3.74, v: 15.44 },
  periodDays: 7,
  annualDiscountRate: 0,
};
const CUSTOMERS = histories([2, 30.43, 38.86, 22.35], [0, 0, 38.86], [29, 37, 38.86, 60]);

describe('forecastLifetime', () => {
  it('without discount is purchases × spend', () => {
    const { expectedPurchases, value } = forecastLifetime(MODEL, CUSTOMERS, 39);
    expect(expectedPurchases[0]).toBeCloseTo(1.226, 3);
    expect(value[0]).toBeCloseTo((expectedPurchases[0] ?? 0) * 24.663714, 4);
    expect(value[1]).toBeCloseTo(((expectedPurchases[1] ?? 0) * 6.25 * 15.44) / 2.74, 10);
  });

  it('discounts what each month adds from the end of the month', () => {
    const [month, rate] = [MONTH_DAYS / 7, 0.1];
    const { value } = forecastLifetime({ ...MODEL, annualDiscountRate: rate }, CUSTOMERS, 2.5 * month);
    const until = (horizon: number): number => forecastLifetime(MODEL, CUSTOMERS, horizon).value[2] ?? 0;
    const expected =
      until(month) * 1.1 ** (-1 / 12) +
      (until(2 * month) - until(month)) * 1.1 ** (-2 / 12) +
      (until(2.5 * month) - until(2 * month)) * 1.1 ** (-3 / 12);
    expect(value[2]).toBeCloseTo(expected, 9);
  });

  it('expects nothing of horizon 0, and has no value without a spend model', () => {
    const { expectedPurchases, value } = forecastLifetime({ ...MODEL, spend: null }, CUSTOMERS, 0);
    expect([...expectedPurchases]).toEqual([0, 0, 0]);
    expect([...value]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(() => forecastLifetime(MODEL, CUSTOMERS, -1)).toThrow('periods >= 0, got -1');
  });

  it('serves both families', () => {
    const process = { family: 'pareto-nbd', r: 0.5533, alpha: 10.5776, s: 0.6063, beta: 11.6728 } as const;
    const { probabilityAlive } = forecastLifetime({ ...MODEL, process }, CUSTOMERS, 39);
    expect(probabilityAlive[0]).toBe(purchaseProcess(process).probabilityAlive(2, 30.43, 38.86));
  });
});

describe('discountedMonths', () => {
  it('cuts the last month to the horizon', () => {
    const { ends, discounts } = discountedMonths({ periodDays: 1, annualDiscountRate: 0.12 }, 45);
    expect([...ends]).toEqual([MONTH_DAYS, 45]);
    expect(discounts[1]).toBeCloseTo(1.12 ** (-2 / 12), 15);
  });
});
