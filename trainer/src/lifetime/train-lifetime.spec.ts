import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelDirectory } from '@sextant/artefacts';
import { addPurchase, DAY_MS, type PurchaseDays, purchaseSummary } from '@sextant/features';
import { randomInteger, seededRandom } from '@sextant/learning';
import { type PurchaseDay, purchaseHistory } from '@sextant/learning/lifetime';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { trainLifetime } from './train-lifetime.js';

const options = { seed: 3, now: new Date('2026-03-01T00:00:00Z'), onProgress: () => undefined };

/** Customers who come every 10 to 60 days for a while, from day 20,000 on. */
function company(n: number): PurchaseDay[][] {
  const random = seededRandom(17);
  return Array.from({ length: n }, () => {
    const gap = 10 + 50 * random();
    const leaves = 20_000 + 400 * random() ** 0.5;
    const days: PurchaseDay[] = [];
    for (let day = 20_000 + 90 * random(); day < leaves; day -= Math.log(1 - random()) * gap)
      days.push({ day: Math.floor(day), value: 20 + 60 * random() });
    return days;
  });
}

const training = (customers: PurchaseDay[][], currencies = ['USD']) => ({
  tenantId: 'demo',
  customers,
  until: 20_365,
  currencies,
  dataSha256: 'a'.repeat(64),
  dataRows: customers.flat().length,
});

describe('trainLifetime', () => {
  it('writes a version that the model directory accepts and ONNX Runtime serves', async () => {
    const steps: number[] = [];
    const trained = await trainLifetime(training(company(500)), {
      ...options,
      onProgress: (share) => steps.push(share),
    });
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
    expect(trained.draft.metrics['maeTransactions']?.value).toBeLessThan(
      trained.draft.baselineMetrics['maeTransactions']?.value ?? 0,
    );
    expect(trained.draft.spec).toMatchObject({ task: 'lifetime', currency: 'USD', maxHorizonDays: 730 });

    const root = await mkdtemp(join(tmpdir(), 'sextant-lifetime-'));
    const directory = new ModelDirectory(root);
    const { version } = await directory.publish(trained.draft, trained.files, trained.card);
    const { files } = await directory.readVerified('demo.lifetime', version);
    const session = await InferenceSession.create(Uint8Array.from(files.get('model.onnx') ?? []));
    const loyal = new Tensor('float64', Float64Array.of(9, 50, 51, 40, 52), [1, 5]);
    const gone = new Tensor('float64', Float64Array.of(9, 10, 51, 40, 52), [1, 5]);
    const [first, second] = [
      (await session.run({ customers: loyal }))['forecast']?.data as Float64Array,
      (await session.run({ customers: gone }))['forecast']?.data as Float64Array,
    ];
    expect(first[0]).toBeGreaterThan(0.8);
    expect(second[0]).toBeLessThan(0.1);
    expect(first[2]).toBeGreaterThan(40);
    await session.release();
    await rm(root, { recursive: true });
  });

  it('gives the same version for the same orders and seed', async () => {
    const [one, other] = await Promise.all([1, 2].map(() => trainLifetime(training(company(200)), options)));
    expect(one?.draft).toEqual(other?.draft);
    expect(one?.files.get('model.onnx')).toEqual(other?.files.get('model.onnx'));
  });

  it('says where orders come in several currencies', async () => {
    const { card, draft } = await trainLifetime(training(company(200), ['EUR', 'USD']), options);
    expect(card.warnings[0]).toContain('several currencies (EUR, USD)');
    expect(draft.spec).toMatchObject({ currency: 'EUR' });
  });

  it.each([
    ['nothing was ordered', [], 'orders of at least 42 days, got 0'],
    ['the history is short', [[{ day: 20_360, value: 5 }]], 'orders of at least 42 days, got 5'],
    [
      'nobody came back',
      Array.from({ length: 50 }, (_, i) => [{ day: 20_000 + i, value: 5 }]),
      'at least 2 customers who bought again',
    ],
  ])('refuses to train when %s', async (_, customers, message) => {
    await expect(trainLifetime(training(customers), options)).rejects.toThrow(message);
  });
});

describe('the fold of purchases', () => {
  it('knows of a customer what training knows, refunds included', () => {
    const random = seededRandom(5);
    for (let run = 0; run < 300; run++) {
      const days: PurchaseDay[] = Array.from({ length: 1 + randomInteger(random, 12) }, () => ({
        day: randomInteger(random, 20),
        value: Math.round(100 * random() - 30),
      })).sort((a, b) => a.day - b.day);
      const folded = days.reduce<PurchaseDays | null>(
        (known, { day, value }) => addPurchase(known, { at: day * DAY_MS, value }),
        null,
      );
      const summary = purchaseSummary(folded, new Date(30 * DAY_MS));
      const history = purchaseHistory(days, { until: 30, periodDays: 1 });
      expect(summary === null).toBe(history === null);
      if (summary === null || history === null) continue;
      expect([summary.repeats, summary.recencyDays, summary.ageDays]).toEqual([
        history.frequency,
        history.recency,
        history.age,
      ]);
      expect(summary.meanRepeatValue === null).toBe(Number.isNaN(history.meanSpend));
      if (summary.meanRepeatValue !== null) expect(summary.meanRepeatValue).toBeCloseTo(history.meanSpend, 9);
    }
  });
});
