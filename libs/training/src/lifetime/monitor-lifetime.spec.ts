import { randomInteger, seededRandom } from '@sextant/learning';
import type { PurchaseDay } from '@sextant/learning/lifetime';
import { analyseWindow } from '@sextant/learning/monitor';
import { planOfReference, TableSketch } from '@sextant/learning/sketch';
import { describe, expect, it } from 'vitest';
import { trainLifetimeModel } from './index.js';

/** Customers who buy every `gap` days or so, until some stop. */
function customers(seed: number, count: number, gap: number): PurchaseDay[][] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const days: PurchaseDay[] = [];
    const stops = random() < 0.5 ? 80 + randomInteger(random, 200) : 400;
    for (let day = randomInteger(random, 60); day < Math.min(stops, 360);)
      day = (days.push({ day, value: 20 + 30 * random() }), day + 1 + randomInteger(random, 2 * gap));
    return days;
  });
}

const { monitoring } = await trainLifetimeModel(
  { customers: customers(1, 600, 30), rows: 5000, until: 360, currency: 'EUR' },
  {
    periodDays: 7,
    maxHorizonDays: 730,
    annualDiscountRate: 0.1,
    seed: 1,
    onProgress: () => undefined,
  },
);

/** What the worker counts of customers: repeats, days from the first purchase to the last, and the mean value of a purchase. */
function asked(histories: readonly PurchaseDay[][]): TableSketch {
  const sketch = new TableSketch(planOfReference(monitoring));
  const of = (value: (days: PurchaseDay[]) => number): Float64Array => Float64Array.from(histories, value);
  const meanOf = (days: PurchaseDay[]): number =>
    days.reduce((sum, { value }) => sum + value, 0) / days.length;
  sketch.addTable({
    rows: histories.length,
    columns: [
      { kind: 'numeric', name: 'repeats', values: of((days) => days.length - 1) },
      {
        kind: 'numeric',
        name: 'recency_days',
        values: of((days) => (days.at(-1)?.day ?? 0) - (days[0]?.day ?? 0)),
      },
      { kind: 'numeric', name: 'mean_value', values: of(meanOf) },
    ],
  });
  return sketch;
}

describe('monitorLifetime', () => {
  it('counts what the worker counts, and leaves out the age, which grows by itself', () => {
    expect(monitoring.features.map(({ name }) => name)).toEqual(['repeats', 'recency_days', 'mean_value']);
    expect(monitoring.scores.map(({ name }) => name)).toEqual(['alive']);
    expect(monitoring.features.every(({ importance }) => importance > 0)).toBe(true);
  });

  it('finds nothing in other customers of the same kind, and who buys otherwise', () => {
    expect(analyseWindow(monitoring, { sketch: asked(customers(2, 400, 30)) }).findings).toEqual([]);
    const { findings } = analyseWindow(monitoring, { sketch: asked(customers(3, 400, 8)) });
    expect(findings.map(({ kind, name }) => `${kind} ${name}`)).toContain('FEATURE_SHIFT repeats');
  });
});
