import { DAY_MS, EventHistory, EVENTS_COLLECTION, type StoredEvent } from '@sextant/features';
import { randomInteger, seededRandom } from '@sextant/learning';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrainingData } from '../training-data.js';
import { TRAININGS } from '../trainings.js';

const TENANT = 'demo';
const DAYS = 150;
const START = Date.UTC(2026, 0, 1);
const NOW = new Date(START + (DAYS + 400) * DAY_MS);

/** Customers come every few days, each at a pace of their own; a third of them stops for good, and the frequent ones buy. */
function histories(): StoredEvent[] {
  const random = seededRandom(5);
  return Array.from({ length: 240 }, (_, customer) => {
    const pace = 1 + randomInteger(random, 12);
    const lastDay = random() < 1 / 3 ? randomInteger(random, DAYS) : DAYS;
    const events: StoredEvent[] = [];
    for (let day = random() * pace; day < lastDay; day += pace * (0.5 + random())) {
      const type = events.length === 0 || random() < 0.3 ? 'order' : 'page_visit';
      const at = new Date(START + day * DAY_MS);
      const lines = [{ productId: 'p', quantity: 1, unitPrice: '5.00' }];
      const properties = type === 'order' ? { lines } : {};
      const customerId = `cus_${customer}`;
      events.push({
        _id: `${TENANT}:${customer}-${events.length}`,
        tenantId: TENANT,
        customerId,
        type,
        at,
        properties,
      });
    }
    return events;
  }).flat();
}

describe('churn and purchase from the events in the store', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let db: Db;
  const events = histories();
  const end = Math.max(...events.map(({ at }) => at.getTime()));
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
    db = client.db();
    await new EventHistory(db).createIndexes();
    await db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany(events);
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  const data = () => new TrainingData(db, TENANT, NOW);
  const train = (task: 'churn' | 'purchase') =>
    TRAININGS[task]({
      tenantId: TENANT,
      data: data(),
      options: { seed: 42, now: NOW, onProgress: () => undefined },
      lightGbm: () => Promise.resolve(null),
    });

  it('ends with the history, not with today, and spreads the instants over the days', async () => {
    const options = { horizonDays: 7, snapshots: 4, seed: 42 };
    const { examples, notes, dataRows } = await data().behaviour('purchase', options);
    expect(dataRows).toBe(events.length);
    expect(notes).toEqual([]);
    const ages = examples.map(({ at }) => (end - at) / DAY_MS);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(7);
    expect(Math.max(...ages)).toBeLessThan(5 * 7);
    expect(new Set(ages.map((age) => Math.floor(age % 7))).size).toBe(7);
    const byCustomer = [...Map.groupBy(examples, ({ customerId }) => customerId).values()];
    expect(Math.max(...byCustomer.map((own) => own.length))).toBe(4);
    expect(await data().behaviour('purchase', options)).toEqual(await data().behaviour('purchase', options));
  });

  it.each([
    ['churn', 30],
    ['purchase', 7],
  ] as const)('learns %s with its horizon, its words, and better than chance', async (task, horizonDays) => {
    const { draft, files, card } = await train(task);
    expect(draft).toMatchObject({ model: `demo.${task}`, spec: { task, horizonDays, family: 'logistic' } });
    expect(draft.metrics['auc']?.low).toBeGreaterThan(0.5);
    expect([...files.keys()]).toEqual(expect.arrayContaining(['model.onnx', 'explain.json']));
    expect(card.purpose).toContain(`${horizonDays} days`);
    expect(card.trainingData).toContain('snapshots of');
    expect(card.warnings.join(' ')).toContain('linear');
  });

  it('says what is missing where there is nothing to learn from', async () => {
    const nobody = new TrainingData(db, 'nobody', NOW);
    await expect(
      TRAININGS.churn({
        tenantId: 'nobody',
        data: nobody,
        options: { seed: 42, now: NOW, onProgress: () => undefined },
        lightGbm: () => Promise.resolve(null),
      }),
    ).rejects.toMatchObject({ code: 'DATA_INSUFFICIENT', message: expect.stringContaining('order') });
  });
});
