import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type QuoteRow, readFloat64, toFeatureTable } from '@sextant/inference-protocol';
import { aRepository, publishPrice, type TestRepository } from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 10_000 };
const model = 'free.price';
let repository: TestRepository;
let worker: TestWorker;

/** The model's log units at 8 and 12.5 are 2.4 and 1.5 without display: 1.95 at the middle, which is √(8 · 12.5) = 10. */
beforeAll(async () => {
  repository = await aRepository();
  await publishPrice(repository.directory, model, {
    basis: 'experiment',
    elasticity: { p1: -2 },
    otherElasticity: 0,
    reference: { p1: [8, 12.5] },
  });
  worker = await startTestWorker(repository.directory.root);
});
afterAll(async () => {
  await worker.stop();
  await repository.remove();
});

const row = (over: Partial<QuoteRow> = {}): QuoteRow => ({
  product: 'p1',
  listPriceMinor: 1000,
  costMinor: 600,
  floorMinor: 600,
  ceilingMinor: 1900,
  stepMinor: 1,
  rounding: 'none',
  currency: 'EUR',
  ...over,
});
const medianAt = (price: number): number => Math.exp(1.95 - 2 * Math.log(price / 10));

describe('a price model with a response', () => {
  it('quotes along the elasticity: the best price is cost · e / (e + 1), twice the cost at −2', async () => {
    const { quotes } = await worker.client.quotePrices({ model, rows: [row()] }, within);
    expect(quotes[0]?.priceMinor).toBe(1200);
    expect(quotes[0]?.expectedUnits).toBeCloseTo(1.05 * medianAt(12), 4);
  });

  it('draws the same curve as it quotes on, and one that never rises', async () => {
    const prices = [5, 7.5, 10, 12, 15, 20];
    const rows = toFeatureTable(prices.map((price) => ({ product: 'p1', price })));
    const answer = await worker.client.predictDemand({ model, rows }, within);
    const median = [...readFloat64(answer.medianUnits)];
    for (const [i, price] of prices.entries()) expect(median[i]).toBeCloseTo(medianAt(price), 3);
    expect(median).toEqual(median.toSorted((a, b) => b - a));
  });

  it('moves the level with the context and stays flat for a product it has no elasticity of', async () => {
    const context = toFeatureTable([{ display: 1 }]);
    const { quotes } = await worker.client.quotePrices({ model, rows: [row()], context }, within);
    expect(quotes[0]?.expectedUnits).toBeCloseTo(1.05 * Math.exp(0.5) * medianAt(12), 3);
    const rows = toFeatureTable([{ product: 'new', price: 9 }]);
    const { medianUnits } = await worker.client.predictDemand({ model, rows }, within);
    expect(readFloat64(medianUnits)[0]).toBeCloseTo(Math.exp(3 - 0.2 * 9), 4);
  });

  it('attributes the whole of log units, the move of the price to the price', async () => {
    const { quotes } = await worker.client.quotePrices({ model, rows: [row()], explain: true }, within);
    const attribution = quotes[0]?.attribution;
    const sum = attribution?.contributions.reduce(
      (total, each) => total + each.contribution,
      attribution.baseValue,
    );
    expect((sum ?? 0) + (attribution?.residual ?? 0)).toBeCloseTo(Math.log(medianAt(12)), 5);
    expect(attribution?.contributions.find(({ feature }) => feature === 'price')?.number).toBe(12);
  });
});
