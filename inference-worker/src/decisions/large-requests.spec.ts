import { seededRandom } from '@sextant/learning';
import { weighHistory } from '@sextant/learning/recommend';
import { type QuoteRow, readFloat64, toFeatureTable } from '@sextant/inference-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aRepository,
  publishLead,
  publishLifetime,
  publishPrice,
  publishRecommender,
  publishUplift,
  type TestRepository,
} from '../testing/test-models.js';
import { startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 20_000 };
const ITEMS = 50;
const ROWS = 300;
const random = seededRandom(5);
const itemIds = Array.from({ length: ITEMS }, (_, i) => `item-${i}`);
const matrix = Float32Array.from({ length: (ITEMS + 1) * ITEMS }, () => random() - 0.2);
let repository: TestRepository;
let worker: TestWorker;

beforeAll(async () => {
  repository = await aRepository();
  const { directory } = repository;
  await publishRecommender(directory, { items: itemIds, matrix, tauItems: 4 });
  await publishLead(directory);
  await publishPrice(directory);
  await publishLifetime(directory);
  await publishUplift(directory);
  // Requests of hundreds of rows are cut into many parts, on two threads that answer in any order.
  worker = await startTestWorker(directory.root, { INFERENCE_MAX_BATCH_ROWS: '7', INFERENCE_THREADS: '2' });
});
afterAll(async () => {
  await worker.stop();
  await repository.remove();
});

/** A row's slate, by the definition. */
function expectedSlate(history: readonly number[], first: number): string[] {
  const { items, weights } = weighHistory(history, 4);
  const scores = Float64Array.from({ length: ITEMS }, (_, to) =>
    items.reduce(
      (sum, from, k) => sum + (weights[k] ?? 0) * (matrix[from * ITEMS + to] ?? 0),
      matrix[ITEMS * ITEMS + to] ?? 0,
    ),
  );
  const known = new Set(items);
  return Array.from(scores.keys())
    .filter((item) => !known.has(item))
    .toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))
    .slice(0, first)
    .map((item) => itemIds[item] ?? '');
}

describe('a request that is cut into parts', () => {
  it('is answered row by row in its order: slates', async () => {
    const histories = Array.from({ length: ROWS }, (_, row) =>
      Array.from({ length: row % 9 }, () => Math.floor(random() * ITEMS)),
    );
    const rows = histories.map((history, row) => ({
      history: history.map((item) => itemIds[item] ?? ''),
      first: 1 + (row % 5),
    }));
    const { slates, servedBy } = await worker.client.recommend({ model: 'demo.recommend', rows }, within);

    expect(slates.map(({ items }) => items.map(({ item }) => item))).toEqual(
      histories.map((history, row) => expectedSlate(history, 1 + (row % 5))),
    );
    expect(servedBy.batchSize).toBeLessThanOrEqual(7);
  });

  it('is answered row by row in its order: scores, also with attributions', async () => {
    const visits = Array.from({ length: ROWS }, (_, row) => row / 50);
    const table = toFeatureTable(visits.map((each, row) => ({ visits: each, channel: `c${row % 90}` })));
    for (const explain of [false, true]) {
      const { scores, horizonDays } = await worker.client.scoreLeads(
        { model: 'demo.lead', rows: table, explain },
        within,
      );
      scores.forEach(({ probability, attribution }, row) => {
        expect(probability).toBeCloseTo(1 / (1 + Math.exp(1 - (visits[row] ?? 0))), 5);
        const texts = attribution?.contributions.flatMap(({ text }) => text ?? []);
        expect(texts).toEqual(explain ? [`c${row % 90}`] : undefined);
      });
      expect([scores.length, horizonDays]).toEqual([ROWS, 30]);
    }
  });

  it('is answered row by row in its order: columns of forecasts, of demand and of effects', async () => {
    const prices = Array.from({ length: ROWS }, (_, row) => 5 + (row % 15));
    const demand = await worker.client.predictDemand(
      { model: 'demo.price', rows: toFeatureTable(prices.map((price) => ({ product: 'p1', price }))) },
      within,
    );
    const median = readFloat64(demand.medianUnits);
    prices.forEach((price, row) => expect(median[row]).toBeCloseTo(Math.exp(4 - 0.2 * price), 3));
    expect(demand.intervalLevel).toBe(0.9);

    const customer = (row: number) => [row % 4, (row % 4) * 10, 100, row % 4 ? 20 : Number.NaN, 20, 30 + row];
    const bytes = Buffer.from(
      Float64Array.from(Array.from({ length: ROWS }, (_, row) => customer(row)).flat()).buffer,
    );
    const whole = await worker.client.forecastValue({ model: 'demo.lifetime', customers: bytes }, within);
    const values = readFloat64(whole.value);
    expect([values.length, readFloat64(whole.valueHigh).length, whole.currency]).toEqual([ROWS, ROWS, 'USD']);
    const single = await worker.client.forecastValue(
      { model: 'demo.lifetime', customers: bytes.subarray(48 * 211, 48 * 212) },
      within,
    );
    expect(values[211]).toBeCloseTo(readFloat64(single.value)[0] ?? Number.NaN, 9);

    const xs = Array.from({ length: ROWS }, (_, row) => row / ROWS);
    const effects = await worker.client.chooseActions(
      { model: 'demo.uplift', rows: toFeatureTable(xs.map((x) => ({ x }))) },
      within,
    );
    const uplift = readFloat64(effects.uplift);
    xs.forEach((x, row) => expect(uplift[row]).toBeCloseTo(0.1 * x, 5));
    expect([effects.actions.length, effects.refused.length]).toEqual([1, 1]);
  });

  it('is answered row by row in its order: quotes, each with its own context', async () => {
    const row: QuoteRow = {
      product: 'p1',
      listPriceMinor: 1200,
      costMinor: 600,
      floorMinor: 630,
      ceilingMinor: 1900,
      stepMinor: 100,
      rounding: 'none',
      currency: 'EUR',
    };
    const rows = Array.from({ length: 40 }, (_, i) => ({ ...row, costMinor: 400 + 10 * i }));
    const context = toFeatureTable(rows.map((_, i) => ({ display: i % 2 })));
    const { quotes } = await worker.client.quotePrices({ model: 'demo.price', rows, context }, within);

    quotes.forEach(({ priceMinor, expectedUnits, expectedMarginMinor }, i) => {
      const units = 1.05 * Math.exp(4 + 0.5 * (i % 2) - 0.002 * priceMinor);
      expect(expectedUnits).toBeCloseTo(units, 3);
      expect(expectedMarginMinor).toBeCloseTo(expectedUnits * (priceMinor - 400 - 10 * i), 6);
    });
    expect(quotes).toHaveLength(40);
  });
});

describe('a row that is refused', () => {
  it('is named by its place in the request, whatever part it came in', async () => {
    const good = { history: [], first: 1 };
    const rows = Array.from({ length: ROWS }, (_, row) => (row === 123 ? { ...good, first: 101 } : good));
    await expect(worker.client.recommend({ model: 'demo.recommend', rows }, within)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'rows[123].first',
    });
    const prices = Array.from({ length: ROWS }, (_, row) => ({ product: 'p1', price: row === 200 ? 0 : 9 }));
    await expect(
      worker.client.predictDemand({ model: 'demo.price', rows: toFeatureTable(prices) }, within),
    ).rejects.toMatchObject({ code: 'INVALID_INPUT', path: 'rows["price"][200]' });
  });

  it('costs the rows of others in its batch nothing', async () => {
    const ask = (first: number) =>
      worker.client.recommend({ model: 'demo.recommend', rows: [{ history: ['item-1'], first }] }, within);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, (_, i) => ask(i % 3 === 0 ? 101 : 5)),
    );
    outcomes.forEach(({ status }, i) => expect(status).toBe(i % 3 === 0 ? 'rejected' : 'fulfilled'));
  });
});
