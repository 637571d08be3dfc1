import { type DemandRow, randomNormal, seededRandom } from '@sextant/learning';
import { openLightGbm } from '@sextant/lightgbm';
import { CACHE_DIRECTORY, findLightGbm } from '@sextant/local-services';
import { describe, expect, it } from 'vitest';
import { evaluatePrice } from './evaluate-price.js';
import { priceWarnings } from './price-warnings.js';
import { curveLogUnits, trainDemand, trainForecast } from './train-demand.js';

const library = await findLightGbm({ env: process.env, cacheDir: CACHE_DIRECTORY }).catch(() => null);
if (library === null) process.stdout.write('skipped: prices as information with LightGBM (no library)\n');

/** Elasticity −2 in two stores; the dear store (prices that end in .5) sells three times as much. */
function stores(n: number): DemandRow[] {
  const random = seededRandom(2);
  return Array.from({ length: n }, (_, i) => {
    const isDear = i % 2 === 0;
    const price = 8 + (i % 12) + (isDear ? 0.5 : 0);
    const log = 8 - 2 * Math.log(price) + (isDear ? Math.log(3) : 0) + 0.2 * randomNormal(random);
    return {
      product: 'a',
      price,
      units: Math.exp(log),
      at: new Date(0),
      context: { promo: Number(price < 10) },
    };
  });
}
const alone = { seed: 1, lightGbm: null };
const fifths = (rows: readonly DemandRow[]): boolean[] => rows.map((_, i) => i % 5 === 0);

describe('evaluatePrice', () => {
  it('measures on the test rows what the regression leaves, near the noise that was put in', async () => {
    const rows = stores(600).map((row, i) => ({ ...row, units: row.units / (i % 2 === 0 ? 3 : 1) }));
    const report = await evaluatePrice({ rows, isTest: fifths(rows), costs: rows.map(() => 5) }, alone);
    expect(report.metrics['rmseLogUnits']?.value).toBeCloseTo(0.2, 1);
    expect(report.metrics['rmseLogUnitsOfCurve']).toEqual(report.metrics['rmseLogUnits']);
    expect(report.test).toBe(120);
    const mean = report.baselines['mean of each product']?.['rmseLogUnits']?.value ?? 0;
    expect(mean).toBeGreaterThan(2 * (report.metrics['rmseLogUnits']?.value ?? 1));
    const elasticity = (report.details['elasticity'] as Record<string, { value: number }>)['a'];
    expect(Math.abs((elasticity?.value ?? 0) + 2)).toBeLessThan(0.1);
    // At −2 the best price is twice the cost.
    const [product] = report.details['products'] as { bestPrice: { margin: number; revenue: number } }[];
    expect(Math.abs((product?.bestPrice.margin ?? 0) - 10)).toBeLessThan(1);
    expect(product?.bestPrice.revenue).toBe(Math.min(...rows.map(({ price }) => price)));
    expect(report.plots).toHaveLength(2);
  });

  it('draws no curve for a product of one price, and says so', async () => {
    const fixed = stores(40).map((row, i) => ({
      ...row,
      product: 'fixed',
      price: i % 2 ? 46.99 : 46.989999999999995,
    }));
    const rows = [...stores(200), ...fixed];
    const { details, warnings } = await evaluatePrice({ rows, isTest: fifths(rows) }, alone);
    const products = details['products'] as { product: string; curve: unknown[] }[];
    expect(products.find(({ product }) => product === 'fixed')?.curve).toHaveLength(1);
    expect(warnings.join()).toContain('two or three prices only');
  });

  it('counts units where rows sold nothing', async () => {
    const rows = stores(300).map((row) => ({ ...row, units: Math.floor(row.units / 16) }));
    expect(rows.some(({ units }) => units === 0)).toBe(true);
    const { metrics } = await evaluatePrice({ rows, isTest: fifths(rows) }, alone);
    expect(metrics).toHaveProperty('poissonDeviance');
    expect(metrics).not.toHaveProperty('rmseLogUnits');
  });

  it('names products that only the test rows hold', async () => {
    const rows = [...stores(200), ...stores(10).map((row) => ({ ...row, product: 'new' }))];
    const { warnings } = await evaluatePrice(
      { rows, isTest: rows.map(({ product }) => product === 'new') },
      alone,
    );
    expect(warnings).toContainEqual(
      expect.stringContaining('1 products of the test rows are not in the training rows'),
    );
  });

  it('refuses a split without a test row, and too few rows to learn from', async () => {
    const insufficient = expect.objectContaining({ code: 'DATA_INSUFFICIENT' });
    const rows = stores(60);
    await expect(evaluatePrice({ rows, isTest: rows.map(() => false) }, alone)).rejects.toEqual(insufficient);
    await expect(evaluatePrice({ rows, isTest: rows.map((_, i) => i > 20) }, alone)).rejects.toEqual(
      insufficient,
    );
  });
});

describe('trainDemand', () => {
  it.skipIf(library === null)(
    'forecasts with the price as information, and quotes on a curve that falls all the same',
    { timeout: 60_000 },
    async () => {
      const rows = stores(1200);
      const { lightGbm } = await openLightGbm(library, '');
      try {
        const trained = await trainDemand(rows, { seed: 1, lightGbm });
        const { choice } = await trainForecast(rows, trained, { seed: 1, lightGbm });
        expect(choice.chosen.candidate.shape).toBe('free');
        expect(choice.chosen.metrics['rmse log units']?.value).toBeLessThan(0.25);
        expect(trained.choice.chosen.candidate.shape).toBe('falling');
        expect(trained.curve.residualSd).toBeGreaterThan(0.4);
        const first = rows.slice(0, 1);
        const asked = first.flatMap((row) =>
          Array.from({ length: 50 }, (_, k) => ({ ...row, price: 8 + 0.25 * k })),
        );
        const curve = [...curveLogUnits(trained, asked)];
        expect(curve).toEqual(curve.toSorted((a, b) => b - a));
      } finally {
        await lightGbm?.close();
      }
    },
  );
});

describe('a curve that rises', () => {
  it('is not quoted on: the elasticity is drawn to 0, and every other product keeps its own', async () => {
    const rows = stores(400).flatMap((row) => [
      row,
      { ...row, product: 'luxury', units: 100 * row.price ** 1.5 },
    ]);
    const trained = await trainDemand(rows, alone);
    expect(trained.elasticity['luxury']?.value).toBeGreaterThan(1);
    expect(trained.response?.elasticity['luxury']).toBe(0);
    expect(trained.response?.elasticity['a']).toBeLessThan(-1);
    for (const product of ['a', 'luxury']) {
      const prices = Array.from({ length: 30 }, (_, k) => 8 + 0.4 * k);
      const asked = rows.slice(0, 1).flatMap((row) => prices.map((price) => ({ ...row, product, price })));
      const curve = [...curveLogUnits(trained, asked)];
      expect(curve).toEqual(curve.toSorted((x, y) => y - x));
    }
  });
});

describe('priceWarnings', () => {
  const measured = (value: number) => ({ value, low: value, high: value, level: 0.95 });

  it('names products with few prices, promotions that come with low prices, and curves that rise', () => {
    const rows = stores(240);
    const fixed = rows.slice(0, 5).map((row) => ({ ...row, product: 'fixed', price: 3 }));
    const few = rows.slice(0, 6).map((row, i) => ({ ...row, product: 'few', price: 3 + (i % 2) }));
    const warnings = priceWarnings([...rows, ...fixed, ...few], {
      a: measured(0.1),
      fixed: measured(-1),
    }).join('\n');
    expect(warnings).toContain('1 of 3 products were seen at one price only');
    expect(warnings).toContain('1 of 3 products were seen at two or three prices only');
    expect(warnings).toContain('1 of 3 products sold more at higher prices');
    expect(warnings).toContain('"promo" moves with the price (correlation -0.');
  });

  it('has nothing to say where prices vary by themselves', () => {
    const rows = stores(240).map((row, i) => ({ ...row, context: { promo: i % 7 === 0 ? 1 : 0 } }));
    expect(priceWarnings(rows, { a: measured(-2) })).toEqual([]);
  });
});
