import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Attribution, type QuoteRow, readFloat64, toFeatureTable } from '@sextant/inference-protocol';
import {
  aRepository,
  publishLead,
  publishPrice,
  publishRecommender,
  type TestRepository,
} from '../testing/test-models.js';
import { sample, startTestWorker, type TestWorker } from '../testing/test-worker.js';

const within = { deadlineMs: 10_000 };
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
let repository: TestRepository;
let worker: TestWorker;

beforeAll(async () => {
  repository = await aRepository();
  // Similarity: a → b strongly, a → c weakly, b → c; the prior prefers d.
  const matrix = Float32Array.from([
    ...[0, 0.8, 0.3, 0],
    ...[0, 0, 0.5, 0],
    ...[0, 0, 0, 0],
    ...[0, 0, 0, 0],
    ...[0.001, 0.002, 0.003, 0.004],
  ]);
  await publishRecommender(repository.directory, { items: ['a', 'b', 'c', 'd'], matrix, tauItems: 2 });
  await publishLead(repository.directory);
  await publishLead(repository.directory, 'demo.churn', 'churn');
  await publishPrice(repository.directory);
  worker = await startTestWorker(repository.directory.root);
});
afterAll(async () => {
  await worker.stop();
  await repository.remove();
});

describe('Recommend', () => {
  it('ranks by the weighed history, without the history itself and without what is excluded', async () => {
    const { slates, servedBy } = await worker.client.recommend(
      {
        model: 'demo.recommend',
        rows: [
          { history: ['b', 'a'], first: 2 },
          { history: ['a'], exclude: ['b'], first: 4 },
        ],
      },
      within,
    );

    const older = Math.exp(-1 / 2);
    expect(slates[0]?.items.map(({ item }) => item)).toEqual(['c', 'd']);
    expect(slates[0]?.items[0]?.score).toBeCloseTo(0.3 + older * 0.5 + 0.003, 6);
    expect(slates[1]?.items.map(({ item }) => item)).toEqual(['c', 'd']);
    expect(servedBy).toMatchObject({
      model: 'demo.recommend',
      version: '1',
      device: 'CPU',
      batchSize: 2,
      trainedAt: '2026-03-01T00:00:00Z',
    });
  });

  it('gives reasons that add up to the score with the residual, which holds the prior', async () => {
    const { slates } = await worker.client.recommend(
      { model: 'demo.recommend', rows: [{ history: ['b', 'a'], first: 1 }], reasonsPerItem: 2 },
      within,
    );
    const item = slates[0]?.items[0];

    expect(item?.reasons.map(({ becauseOf }) => becauseOf)).toEqual(['b', 'a']);
    const explained = item?.reasons.reduce((sum, { contribution }) => sum + contribution, item.residual);
    expect(explained).toBeCloseTo(item?.score ?? Number.NaN, 12);
    expect(item?.residual).toBeCloseTo(0.003, 6);
  });

  it('ranks by popularity where nothing of the history is known', async () => {
    const { slates } = await worker.client.recommend(
      { model: 'demo.recommend', rows: [{ history: ['unheard-of'], first: 4 }] },
      within,
    );
    expect(slates[0]).toMatchObject({ historyUsed: 0 });
    expect(slates[0]?.items.map(({ item }) => item)).toEqual(['d', 'c', 'b', 'a']);
  });

  it.each([
    [{ rows: [] }, 'rows'],
    [{ rows: [{ history: [], first: 0 }] }, 'rows[0].first'],
    [{ rows: [{ history: [], first: 101 }] }, 'rows[0].first'],
    [{ rows: [{ history: [], first: 1 }], reasonsPerItem: 21 }, 'reasons_per_item'],
  ])('refuses %j and names the field', async (request, path) => {
    const call = worker.client.recommend({ model: 'demo.recommend', ...request }, within);
    await expect(call).rejects.toMatchObject({ code: 'INVALID_INPUT', path });
  });

  it('says which of model, version and task does not fit', async () => {
    const rows = [{ history: [], first: 1 }];
    await expect(worker.client.recommend({ model: 'no.recommend', rows }, within)).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
    });
    await expect(
      worker.client.recommend({ model: 'demo.recommend', version: '9', rows }, within),
    ).rejects.toMatchObject({
      code: 'MODEL_VERSION_NOT_FOUND',
    });
    await expect(worker.client.recommend({ model: 'demo.lead', rows }, within)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'model',
    });
  });
});

describe('ScoreLeads', () => {
  const rows = toFeatureTable([
    { visits: 0.5, channel: 'web' },
    { visits: 1, channel: 'mail' },
    { channel: 'fax' },
  ]);

  it('encodes the columns with the manifest and scores them, with band, percentile and an interval that holds the score', async () => {
    const { scores } = await worker.client.scoreLeads({ model: 'demo.lead', rows }, within);

    const expected = [sigmoid(1.5), sigmoid(-1), sigmoid(-1)];
    expect(scores.map(({ band }) => band)).toEqual(['HOT', 'COLD', 'COLD']);
    scores.forEach((score, i) => {
      expect(score.probability).toBeCloseTo(expected[i] ?? Number.NaN, 6);
      expect(score.percentile).toBeCloseTo(100 * score.probability, 3);
      expect(score.low).toBeLessThanOrEqual(score.probability);
      expect(score.high).toBeGreaterThanOrEqual(score.probability);
      expect(score.attribution).toBeNull();
    });
  });

  it('attributes log-odds to raw columns with their values, exactly', async () => {
    const { scores } = await worker.client.scoreLeads({ model: 'demo.lead', rows, explain: true }, within);
    const attribution = scores[0]?.attribution;

    // Means 0.5, 0.25, 0.25, 0.5 of the encoded columns: base 0.5 + 2·0.25 − 0.25 − 1.
    expect(attribution).toMatchObject({ method: 'linear', baseValue: -0.25 });
    expect(attribution?.contributions.map(({ feature, number, text }) => [feature, number ?? text])).toEqual([
      ['visits', 0.5],
      ['channel', 'web'],
    ]);
    expect(attribution?.contributions[1]?.contribution).toBeCloseTo(2 * 0.75 + 0.25, 6);
    expect(Math.abs(attribution?.residual ?? 1)).toBeLessThan(1e-5);
    expect(scores[2]?.attribution?.contributions[0]?.value).toBeUndefined();
  });

  it('sends the largest contributions only where so many are wanted, of every row of a long request, and the same sum', async () => {
    const many = toFeatureTable(
      Array.from({ length: 40 }, (_, i) => ({ visits: i / 40, channel: i % 3 === 0 ? 'web' : 'shop' })),
    );
    const ask = (topContributions?: number) =>
      worker.client.scoreLeads(
        { model: 'demo.lead', rows: many, explain: true, ...(topContributions && { topContributions }) },
        within,
      );
    const [all, one, plenty] = await Promise.all([ask(), ask(1), ask(4_000_000_000)]);

    expect(plenty.scores).toEqual(all.scores);
    const firsts = new Set<string>();
    for (const [i, { attribution }] of all.scores.entries()) {
      const largest = attribution?.contributions.toSorted(
        (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.feature < b.feature ? -1 : 1),
      )[0];
      const shown = one.scores[i]?.attribution;
      expect(shown?.contributions).toEqual([largest]);
      expect(attribution?.contributions).toHaveLength(2);
      expect(totalOf(shown)).toBeCloseTo(totalOf(attribution), 12);
      firsts.add(largest?.feature ?? '');
    }
    expect(firsts).toEqual(new Set(['visits', 'channel']));
  });

  it('serves any score, with the bands of its task and how far it looks ahead', async () => {
    const lead = await worker.client.scoreLeads({ model: 'demo.lead', rows }, within);
    const churn = await worker.client.scoreLeads({ model: 'demo.churn', rows }, within);

    expect(churn.servedBy.model).toBe('demo.churn');
    expect(churn.scores.map(({ band }) => band)).toEqual(['HIGH', 'LOW', 'LOW']);
    expect(churn.scores.map(({ probability }) => probability)).toEqual(
      lead.scores.map(({ probability }) => probability),
    );
    expect([lead.horizonDays, churn.horizonDays]).toEqual([30, 30]);
    await expect(worker.client.scoreLeads({ model: 'demo.price', rows }, within)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('needs lead or churn or purchase'),
    });
  });

  it('refuses columns that do not fit their rows and codes outside their dictionary', async () => {
    const short = { ...rows, rows: 4 };
    await expect(worker.client.scoreLeads({ model: 'demo.lead', rows: short }, within)).rejects.toMatchObject(
      { code: 'FEATURE_VECTOR_MISMATCH' },
    );
    const wild = {
      rows: 1,
      numeric: [],
      categorical: [{ name: 'channel', dictionary: ['web'], codes: Buffer.from(Int32Array.of(1).buffer) }],
    };
    await expect(worker.client.scoreLeads({ model: 'demo.lead', rows: wild }, within)).rejects.toMatchObject({
      code: 'FEATURE_VECTOR_MISMATCH',
    });
    await expect(worker.client.scoreLeads({ model: 'demo.lead', rows: null }, within)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'rows',
    });
  });
});

describe('QuotePrices', () => {
  const row = (over: Partial<QuoteRow> = {}): QuoteRow => ({
    product: 'p1',
    listPriceMinor: 1200,
    costMinor: 600,
    floorMinor: 630,
    ceilingMinor: 1900,
    stepMinor: 1,
    rounding: 'x.99',
    currency: 'EUR',
    ...over,
  });

  it('finds the best margin of the model: d/dp (p − c)·e^(−0.2p) = 0 at p = c + 5', async () => {
    const { quotes, servedBy } = await worker.client.quotePrices(
      { model: 'demo.price', rows: [row(), row({ rounding: 'none', costMinor: 400 })] },
      within,
    );

    expect(quotes[0]?.priceMinor).toBe(1099);
    expect(quotes[0]?.expectedUnits).toBeCloseTo(1.05 * Math.exp(4 - 0.2 * 10.99), 4);
    expect(quotes[0]?.expectedMarginMinor).toBeCloseTo((quotes[0]?.expectedUnits ?? 0) * 499, 6);
    expect(Math.abs((quotes[1]?.priceMinor ?? 0) - 900)).toBeLessThanOrEqual(5);
    expect(servedBy.model).toBe('demo.price');
  });

  it('brackets units and margin, and honours floor, stock, context and currency', async () => {
    const rows = [
      row({ floorMinor: 1500 }),
      row({ stock: 2 }),
      row({
        currency: 'JPY',
        rounding: 'none',
        listPriceMinor: 12,
        costMinor: 6,
        floorMinor: 6,
        ceilingMinor: 19,
      }),
    ];
    const context = toFeatureTable([{ display: 1 }, { display: 0 }, { display: 0 }]);
    const { quotes } = await worker.client.quotePrices({ model: 'demo.price', rows, context }, within);

    expect(quotes[0]?.priceMinor).toBe(1599);
    expect(quotes[0]?.expectedUnits).toBeCloseTo(1.05 * Math.exp(4.5 - 0.2 * 15.99), 4);
    expect(quotes[0]?.guardrails.find(({ rule }) => rule === 'floor')).toMatchObject({ bound: true });
    expect(quotes[1]?.expectedUnits).toBeLessThanOrEqual(2);
    expect(quotes[2]?.priceMinor).toBe(11);
    for (const quote of quotes) {
      expect(quote.expectedUnitsLow).toBeLessThanOrEqual(quote.expectedUnits);
      expect(quote.expectedUnitsHigh).toBeGreaterThanOrEqual(quote.expectedUnits);
      expect(quote.expectedMarginMinorLow).toBeLessThanOrEqual(quote.expectedMarginMinor);
      expect(quote.attribution).toBeNull();
    }
  });

  it('expects no sale of what is sold out and keeps its list price, and knows that from a stock not counted', async () => {
    const { quotes } = await worker.client.quotePrices(
      { model: 'demo.price', rows: [row({ stock: 0, rounding: 'none' }), row(), row({ stock: null })] },
      within,
    );
    const [soldOut, uncounted, alsoUncounted] = quotes;

    expect(soldOut).toMatchObject({
      priceMinor: row().listPriceMinor,
      expectedUnits: 0,
      expectedUnitsHigh: 0,
    });
    expect(soldOut?.expectedMarginMinor).toBe(0);
    expect(soldOut?.guardrails.find(({ rule }) => rule === 'stock')).toMatchObject({ bound: true });
    expect(uncounted?.expectedUnits).toBeGreaterThan(0);
    expect(alsoUncounted).toEqual(uncounted);
  });

  it('attributes log units at the chosen price when asked', async () => {
    const { quotes } = await worker.client.quotePrices(
      { model: 'demo.price', rows: [row()], explain: true },
      within,
    );
    const price = quotes[0]?.attribution?.contributions.find(({ feature }) => feature === 'price');
    expect(price?.number).toBe(10.99);
    expect(price?.contribution).toBeCloseTo(-0.2 * 0.99, 5);
    expect(Math.abs(quotes[0]?.attribution?.residual ?? 1)).toBeLessThan(1e-5);
  });

  it('names the quote and the rule that it refuses', async () => {
    const refused = (over: Partial<QuoteRow>) =>
      worker.client.quotePrices({ model: 'demo.price', rows: [row(), row(over)] }, within);
    await expect(refused({ floorMinor: 2000 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'rows[1].floorMinor',
    });
    await expect(refused({ stepMinor: 0 })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'rows[1].stepMinor',
    });
    await expect(refused({ rounding: 'odd' as 'none' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'rows[1].rounding',
    });
  });
});

describe('PredictDemand', () => {
  it('gives the curve, flat beyond the prices seen', async () => {
    const rows = toFeatureTable([10, 20, 99].map((price) => ({ product: 'p1', price })));
    const answer = await worker.client.predictDemand({ model: 'demo.price', rows }, within);

    const [ten, twenty, beyond] = readFloat64(answer.medianUnits);
    expect(ten).toBeCloseTo(Math.exp(2), 4);
    expect(twenty).toBeCloseTo(1, 5);
    expect(beyond).toBe(twenty);
    expect(readFloat64(answer.expectedUnits)[1]).toBeCloseTo(1.05, 5);
    expect(readFloat64(answer.lowUnits)[1]).toBeCloseTo(Math.exp(-1.6448536 * 0.1), 5);
    expect(answer.intervalLevel).toBe(0.9);
  });

  it('refuses rows without a product or with a price that is none', async () => {
    const ask = (row: Record<string, number | string>) =>
      worker.client.predictDemand({ model: 'demo.price', rows: toFeatureTable([row]) }, within);
    await expect(ask({ price: 1 })).rejects.toMatchObject({
      code: 'FEATURE_VECTOR_MISMATCH',
      path: 'rows["product"]',
    });
    await expect(ask({ product: 'p1', price: 0 })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

describe('the metrics', () => {
  it('count each domain call once, whatever its outcome', async () => {
    const before = sample(await worker.metrics(), 'sextant_worker_rpc_total{rpc="Recommend"}');
    const rows = [{ history: [], first: 1 }];
    await worker.client.recommend({ model: 'demo.recommend', rows }, within);
    await worker.client.recommend({ model: 'no.recommend', rows }, within).catch(() => undefined);
    const page = await worker.metrics();

    expect(sample(page, 'sextant_worker_rpc_total{rpc="Recommend"}')).toBe(before + 2);
    expect(
      sample(
        page,
        'sextant_inference_failures_total{rpc="Recommend",model="none",version="none",code="NOT_FOUND"}',
      ),
    ).toBeGreaterThan(0);
    expect(sample(page, 'sextant_inference_pending_rows')).toBe(0);
    expect(page).toContain('sextant_inference_batch_rows_bucket');
  });
});

function totalOf(attribution: Attribution | null | undefined): number {
  const { baseValue = Number.NaN, residual = Number.NaN, contributions = [] } = attribution ?? {};
  return contributions.reduce((sum, { contribution }) => sum + contribution, baseValue + residual);
}
