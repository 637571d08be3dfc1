import type { PurchaseHistories } from '@sextant/learning/lifetime';

/** Purchases and spend expected of each customer, shape [n]; spend is NaN where orders have no value. */
export interface Forecast {
  purchases: Float64Array;
  spend: Float64Array;
}

/** What a team would have without a model. */
export const BASELINES = {
  repeatRate,
  meanOfAll,
} satisfies Record<string, (histories: PurchaseHistories, periods: number) => Forecast>;

/** Every customer goes on as before: repeat purchases by age, at the own mean value. */
function repeatRate({ frequency, age, meanSpend }: PurchaseHistories, periods: number): Forecast {
  const purchases = frequency.map((x, i) => (x === 0 ? 0 : (x / (age[i] ?? 0)) * periods));
  return {
    purchases,
    spend: purchases.map((count, i) => (count === 0 ? 0 : count * (meanSpend[i] ?? Number.NaN))),
  };
}

/** Every customer does what all do on average. */
function meanOfAll({ frequency, age, meanSpend }: PurchaseHistories, periods: number): Forecast {
  let [purchases, time, spend] = [0, 0, 0];
  for (let i = 0; i < frequency.length; i++) {
    const x = frequency[i] ?? 0;
    purchases += x;
    time += age[i] ?? 0;
    if (x > 0) spend += x * (meanSpend[i] ?? Number.NaN);
  }
  const each = (purchases / time) * periods;
  return {
    purchases: new Float64Array(frequency.length).fill(each),
    spend: new Float64Array(frequency.length).fill(purchases === 0 ? 0 : each * (spend / purchases)),
  };
}
