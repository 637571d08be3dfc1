import { type Random, seededRandom } from '@sextant/learning';
import type { PurchaseDay } from '@sextant/learning/lifetime';
import { describe, expect, it } from 'vitest';
import { evaluateLifetime } from './evaluate-lifetime.js';
import { trainLifetime } from './train-lifetime.js';

/** Buys about every `gap` days from `first` until `leaves`. */
function customer(
  random: Random,
  { first, gap, leaves }: { first: number; gap: number; leaves: number },
): PurchaseDay[] {
  const days: PurchaseDay[] = [];
  for (let day = first; day < leaves; day += -Math.log(1 - random()) * gap) {
    days.push({ day: Math.floor(day), value: 10 + Math.floor(40 * random()) });
  }
  return days;
}

/** Rates and lives of exponential customers over 400 days. */
function company(n: number, seed: number): PurchaseDay[][] {
  const random = seededRandom(seed);
  return Array.from({ length: n }, () => {
    const first = 60 * random();
    const life = -Math.log(1 - random()) * 250;
    return customer(random, { first, gap: 8 + 60 * random(), leaves: Math.min(400, first + life) });
  });
}

const OPTIONS = { calibrationEnd: 200, periodDays: 7, seed: 1 };

describe('evaluateLifetime', () => {
  const customers = company(1500, 4);
  const report = evaluateLifetime({ ...OPTIONS, customers, rows: 9999 });

  it('beats the baselines on what came after, and sums to what happened', () => {
    const mae = report.metrics['maeTransactions']?.value ?? Number.NaN;
    expect(mae).toBeLessThan(0.9 * (report.baselines['repeatRate']?.['maeTransactions']?.value ?? 0));
    expect(mae).toBeLessThan(0.9 * (report.baselines['meanOfAll']?.['maeTransactions']?.value ?? 0));
    expect(Math.abs(report.metrics['totalErrorTransactions']?.value ?? 1)).toBeLessThan(0.1);
    expect(report.metrics['maeSpend']?.value).toBeGreaterThan(0);
    expect(report.rows).toBe(9999);
  });

  it('sees nothing of the test days', () => {
    const moved = customers.map((days) => days.filter(({ day }, i) => day <= 200 || i % 2 === 0));
    const other = evaluateLifetime({ ...OPTIONS, customers: moved, rows: 1 });
    expect(other.details['processes']).toEqual(report.details['processes']);
    expect(other.because).toBe(report.because);
    expect(other.metrics).not.toEqual(report.metrics);
  });

  it('says parameters with standard errors, the calibration by tenths, and the same for the same seed', () => {
    expect(report.details['processes']).toMatchObject({
      'bg-nbd': {
        parameters: {
          r: { value: expect.any(Number) as number, standardError: expect.any(Number) as number },
        },
      },
      'pareto-nbd': { parameters: { beta: { low: expect.any(Number) as number } } },
    });
    expect(report.details['calibration']).toHaveLength(10);
    expect(evaluateLifetime({ ...OPTIONS, customers, rows: 9999 })).toEqual(report);
  });

  it('counts customers who first bought later, and does not measure them', () => {
    const later = evaluateLifetime({
      ...OPTIONS,
      customers: [...customers, [{ day: 250, value: 5 }]],
      rows: 1,
    });
    expect(later.details['customers']).toMatchObject({ known: 1500, firstBoughtLater: 1 });
    expect(later.metrics['maeTransactions']).toEqual(report.metrics['maeTransactions']);
  });

  it('without amounts measures purchases only', () => {
    const bare = customers.map((days) => days.map(({ day }) => ({ day, value: Number.NaN })));
    const { metrics, chosen, details } = evaluateLifetime({ ...OPTIONS, customers: bare, rows: 1 });
    expect(Object.keys(metrics)).toEqual(['maeTransactions', 'rmseTransactions', 'totalErrorTransactions']);
    expect(chosen).not.toContain('spend');
    expect(details['spend']).toBeNull();
  });

  it('refuses an end of calibration with nothing after it or nothing before it', () => {
    expect(() => evaluateLifetime({ ...OPTIONS, customers, rows: 1, calibrationEnd: 500 })).toThrow(
      /nothing is left to measure after 1971-05-16/,
    );
    expect(() => evaluateLifetime({ ...OPTIONS, customers, rows: 1, calibrationEnd: -5 })).toThrow(
      'no customer has a purchase before the end of calibration',
    );
  });
});

describe('trainLifetime', () => {
  const options = { until: 200, periodDays: 7, horizonDays: 100, seed: 1, annualDiscountRate: 0.1 };

  it('warns where nobody came back', () => {
    const once = Array.from({ length: 40 }, (_, i) => [{ day: i, value: 10 }]);
    const { warnings, model, choice } = trainLifetime(once, options);
    expect(warnings.join()).toContain('nobody bought a second time');
    expect(choice).toMatchObject({ family: 'bg-nbd', validation: {} });
    expect(model.spend).toBeNull();
  });

  it('names spend that goes with frequency', () => {
    const random = seededRandom(9);
    const customers = Array.from({ length: 400 }, () => {
      const gap = 5 + 60 * random();
      return customer(random, { first: 0, gap, leaves: 200 }).map(({ day }) => ({
        day,
        value: (2000 / gap) * (0.8 + 0.4 * random()),
      }));
    });
    const { warnings } = trainLifetime(customers, options);
    expect(warnings.find((warning) => warning.includes('correlated with frequency (0.'))).toContain(
      'underestimated',
    );
  });

  it('warns of a horizon far beyond the known time', () => {
    const { warnings } = trainLifetime(company(200, 2), { ...options, until: 80, horizonDays: 365 });
    expect(warnings.join()).toContain('365 days ahead on 80 days of history');
  });

  it('serves one customer', () => {
    const { model } = trainLifetime(
      [
        [
          { day: 0, value: 5 },
          { day: 30, value: 5 },
        ],
      ],
      options,
    );
    expect(Object.values(model.process).every((value) => typeof value === 'string' || value > 0)).toBe(true);
  });
});
