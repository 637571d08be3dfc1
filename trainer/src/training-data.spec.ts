import {
  type ConsentState,
  DAY_MS,
  EventHistory,
  EVENTS_COLLECTION,
  type StoredEvent,
} from '@sextant/features';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TrainingData, type TrainingScope } from './training-data.js';

const TENANT = 'demo';
const START = Date.UTC(2026, 0, 1);
const at = (days: number): Date => new Date(START + days * DAY_MS);
const NOW = at(200);
const CONSENT_AS_OF = NOW;

let mongo: TestMongo;
let client: MongoClient;
let db: Db;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  db = client.db();
  await new EventHistory(db).createIndexes();
});
afterEach(() => db.collection(EVENTS_COLLECTION).deleteMany({}));
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

let made = 0;
function event(customerId: string | null, type: string, day: number, properties = {}): StoredEvent {
  const _id = `${TENANT}:${String(made++).padStart(6, '0')}`;
  return { _id, tenantId: TENANT, type, at: at(day), properties, ...(customerId !== null && { customerId }) };
}

/** Somebody with a part in the rows of every task; their product is theirs alone. */
function life(customerId: string): StoredEvent[] {
  const productId = `product-of-${customerId}`;
  const lines = [{ productId, quantity: 1, unitPrice: '5.00' }];
  const traits = { city: 'Bern', gender: 'f' };
  return [
    event(customerId, 'profile_update', 0, traits),
    event(customerId, 'product_view', 1, { productId, price: '5.00' }),
    event(customerId, 'order', 2, { currency: 'EUR', lines }),
    event(customerId, 'lead_submitted', 3, { employees: 3, gender: 'f' }),
    event(customerId, 'sales_outcome', 4, { won: true }),
    event(customerId, 'campaign_assigned', 5, { campaignId: 'c', action: 'mail' }),
    ...[30, 60, 90, 119].map((day) => event(customerId, 'page_visit', day)),
    event(customerId, 'order', 120, { currency: 'EUR', lines }),
  ];
}

const consent = (customerId: string, day: number, state: ConsentState): StoredEvent =>
  event(customerId, 'consent_changed', day, { purpose: 'TRAINING', state });

const store = (events: StoredEvent[]) => db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany(events);
const dataOf = (scope: TrainingScope = {}) =>
  new TrainingData(db, TENANT, NOW, { consentAsOf: CONSENT_AS_OF, ...scope });

const BEHAVIOUR = { horizonDays: 30, snapshots: 2, seed: 1 };
/** What each task learns from. */
const READINGS: Record<string, (data: TrainingData) => Promise<object>> = {
  recommend: (data) => data.interactions(),
  session: (data) => data.sessions(),
  price: (data) => data.demand(),
  lead: (data) => data.leads(30),
  churn: (data) => data.behaviour('churn', BEHAVIOUR),
  purchase: (data) => data.behaviour('purchase', BEHAVIOUR),
  lifetime: (data) => data.purchases(),
  uplift: (data) => data.assignments({ horizonDays: 14, seed: 1 }),
};

describe.each(Object.entries(READINGS))('what %s learns from', (_task, read) => {
  const contents = async (scope?: TrainingScope) => {
    const data = dataOf(scope);
    const rows = await read(data);
    const customers = [...data.customers].toSorted();
    return { rows, text: JSON.stringify(rows), customers, leftOut: data.leftOut };
  };

  it('is without whoever refused, as if they had never been, and says whom it holds', async () => {
    await store([...life('cus_a'), ...life('cus_b')]);
    const alone = await contents();
    expect(alone.customers).toEqual(['cus_a', 'cus_b']);

    await store([...life('cus_c'), consent('cus_c', 150, 'DENIED')]);
    expect(await contents()).toEqual({ ...alone, leftOut: 1 });

    await store([consent('cus_c', 151, 'GRANTED')]);
    const { customers, rows } = await contents();
    expect(customers).toEqual(['cus_a', 'cus_b', 'cus_c']);
    expect(rows).not.toMatchObject({ dataSha256: (alone.rows as { dataSha256: string }).dataSha256 });
  });

  it('leaves out whoever withdraws from now on, although the rows end before', async () => {
    await store([...life('cus_a'), ...life('cus_b')]);
    const before = await contents();
    await store([consent('cus_b', 210, 'DENIED')]);
    const after = await contents();
    expect(after.customers).toEqual(['cus_a']);
    expect(after.leftOut).toBe(1);
    expect(after.text).not.toContain('cus_b');
    expect(after.rows).not.toEqual(before.rows);
  });
});

describe('TrainingData', () => {
  it('reads nothing from before `from`, as if nothing had been', async () => {
    await store([...life('cus_a'), event('cus_b', 'order', 2, { lines: [] })]);
    const data = dataOf({ from: at(100) });
    const { customers, dataRows } = await data.purchases();
    expect([customers.length, dataRows]).toEqual([1, 1]);
    expect([...data.customers]).toEqual(['cus_a']);
  });

  it.each([
    ['lead', (data: TrainingData) => data.leads(30)],
    ['churn', (data: TrainingData) => data.behaviour('churn', BEHAVIOUR)],
    ['uplift', (data: TrainingData) => data.assignments({ horizonDays: 14, seed: 1 })],
  ] as const)('keeps protected traits out of every column of %s, told or typed', async (_task, read) => {
    await store([...life('cus_a'), event('cus_a', 'profile_update', 6, { age: 40 })]);
    const columnsOf = ({ examples }: { examples: readonly { features: object }[] }) =>
      new Set(examples.flatMap(({ features }) => Object.keys(features)));
    const free = await read(dataOf());
    const columns = columnsOf(free);
    expect(columns).toContain('trait.city');
    expect(columns).toContain('trait.gender');

    const audited = await read(dataOf({ protectedTraits: ['gender', 'age'] }));
    expect(audited.examples.length).toBeGreaterThan(0);
    expect([...columnsOf(audited)].filter((name) => /gender|age$/.test(name))).toEqual([]);
    expect(columnsOf(audited)).toContain('trait.city');
    expect(audited.dataSha256).not.toBe(free.dataSha256);
  });

  it('keeps the values of protected traits beside the features, for audits', async () => {
    await store(life('cus_a'));
    const { examples } = await dataOf({ protectedTraits: ['gender', 'age'] }).leads(30);
    expect(examples[0]?.protectedTraits).toEqual({ gender: 'f', age: null });
  });
});
