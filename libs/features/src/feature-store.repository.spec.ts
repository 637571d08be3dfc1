import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyState } from './customer-state.js';
import { DAY_MS } from './decayed-counter.js';
import { EventDigest } from './event-digest.js';
import { EventHistory } from './event-history.repository.js';
import { FeatureStore } from './feature-store.repository.js';
import { foldEvents } from './fold-events.js';
import { anEvent } from './stored-event.fixture.js';
import { EVENTS_COLLECTION, FEATURES_COLLECTION, type StoredEvent } from './stored-event.js';

const at = (days: number): Date => new Date(Date.UTC(2026, 0, 1) + days * DAY_MS);
let mongo: TestMongo;
let client: MongoClient;
let db: Db;

beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  db = client.db();
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

describe('EventHistory', () => {
  const { customerId: _, ...company } = anEvent({ _id: 't:5', type: 'price_change', at: at(2) });
  const rows: StoredEvent[] = [
    anEvent({ _id: 't:1', customerId: 'cus_b', at: at(2) }),
    anEvent({ _id: 't:2', customerId: 'cus_a', at: at(3) }),
    anEvent({ _id: 't:3', customerId: 'cus_a', at: at(1), type: 'sales_outcome' }),
    anEvent({ _id: 't:4', customerId: 'cus_a', at: at(1), type: 'lead_submitted' }),
    company,
    anEvent({ _id: 'u:1', tenantId: 'u', customerId: 'cus_a', at: at(1) }),
  ];
  beforeAll(async () => {
    await db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany(rows);
    await new EventHistory(db).createIndexes();
  });
  const idsOf = async (stream: AsyncIterable<StoredEvent>) =>
    (await Array.fromAsync(stream)).map(({ _id }) => _id);

  it('groups one tenant by customer, each in the order of the fold', async () => {
    const groups = await Array.fromAsync(new EventHistory(db).customers('t'));
    expect(groups.map(({ customerId, events }) => [customerId, events.map(({ _id: id }) => id)])).toEqual([
      ['cus_a', ['t:4', 't:3', 't:2']],
      ['cus_b', ['t:1']],
    ]);
  });

  it('gives the events of chosen customers of one tenant, all of them or those strictly after an instant', async () => {
    const history = new EventHistory(db);
    const found = await history.ofCustomers('t', [
      { customerId: 'cus_a', after: at(1).getTime() },
      { customerId: 'cus_b', after: null },
      { customerId: 'cus_none', after: null },
    ]);
    const ids = [...found].map(([id, events]) => [id, events.map((event) => event._id)]);
    expect(Object.fromEntries(ids)).toEqual({ cus_a: ['t:2'], cus_b: ['t:1'] });
    expect((await history.ofCustomers('t', [])).size).toBe(0);
  });

  it('stops strictly before `until`', async () => {
    const groups = await Array.fromAsync(new EventHistory(db).customers('t', { until: at(2) }));
    expect(groups.map(({ customerId, events }) => [customerId, events.length])).toEqual([['cus_a', 2]]);
    expect(await new EventHistory(db).count('t', { until: at(2) })).toBe(2);
  });

  it('ends with the newest event of a customer, or with the day before a few strays', async () => {
    const history = new EventHistory(db);
    expect(await history.endOfCustomers('t', { until: at(9) })).toEqual(at(3));
    expect(await history.endOfCustomers('t', { until: at(3) })).toEqual(at(2));
    expect(await history.endOfCustomers('t', { until: at(1) })).toBeNull();
    const many = Array.from({ length: 1_000 }, (_, i) =>
      anEvent({ _id: `s:${i}`, tenantId: 's', customerId: 'cus_a', at: at(i / 100) }),
    );
    const stray = anEvent({ _id: 's:stray', tenantId: 's', customerId: 'cus_a', at: at(200) });
    await db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany([...many, stray]);
    expect(await history.endOfCustomers('s', { until: at(100) })).toEqual(at(9.99));
    expect(await history.endOfCustomers('s', { until: at(300) })).toEqual(at(10));
    await db.collection<StoredEvent>(EVENTS_COLLECTION).deleteMany({ tenantId: 's' });
  });

  it('does not end with what was said about consent', async () => {
    const history = new EventHistory(db);
    const visits = [1, 2].map((day) => anEvent({ tenantId: 'u', customerId: 'cus_a', at: at(day) }));
    const said = [2.5, 9].map((day) =>
      anEvent({ tenantId: 'u', customerId: 'cus_a', type: 'consent_changed', at: at(day) }),
    );
    await db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany([...visits, ...said]);
    expect(await history.endOfCustomers('u', { until: at(20) })).toEqual(at(2));
    await db.collection<StoredEvent>(EVENTS_COLLECTION).deleteMany({ tenantId: 'u', type: 'page_visit' });
    expect(await history.endOfCustomers('u', { until: at(20) })).toBeNull();
    await db.collection<StoredEvent>(EVENTS_COLLECTION).deleteMany({ tenantId: 'u' });
  });

  it('passes over customers who are not included, in the digest too, and over what was before `from`', async () => {
    const history = new EventHistory(db);
    const digest = new EventDigest();
    const options = { includes: (id: string) => id !== 'cus_a', digest };
    expect((await Array.fromAsync(history.customers('t', options))).map((c) => c.customerId)).toEqual([
      'cus_b',
    ]);
    expect(digest.count).toBe(1);
    expect(await idsOf(history.ofTypes('t', ['price_change'], options))).toEqual(['t:5']);
    const late = await Array.fromAsync(history.customers('t', { from: at(2) }));
    expect(late.flatMap(({ events }) => events.map(({ _id }) => _id)).toSorted()).toEqual(['t:1', 't:2']);
  });

  it('gives company events without a customer, and types across both', async () => {
    expect(await idsOf(new EventHistory(db).companyEvents('t', ['price_change', 'page_visit']))).toEqual([
      't:5',
    ]);
    expect(await idsOf(new EventHistory(db).ofTypes('t', ['price_change', 'page_visit']))).toEqual([
      't:5',
      't:2',
      't:1',
    ]);
  });

  it('digests the rows it read: the same rows the same hash, one changed row another', async () => {
    const digestOf = async () => {
      const digest = new EventDigest();
      await Array.fromAsync(new EventHistory(db).customers('t', { digest }));
      return { count: digest.count, sha256: digest.sha256() };
    };
    const first = await digestOf();
    expect(first.count).toBe(4);
    expect(await digestOf()).toEqual(first);
    await db
      .collection<StoredEvent>(EVENTS_COLLECTION)
      .updateOne({ _id: 't:1' }, { $set: { properties: { a: 1 } } });
    expect((await digestOf()).sha256).not.toBe(first.sha256);
  });
});

describe('FeatureStore', () => {
  const viewer = (customerId: string, products: string[], type = 'product_view') =>
    foldEvents(
      emptyState(customerId),
      products.map((productId) =>
        anEvent({ type, customerId, properties: { productId, relevant: type !== 'interaction' } }),
      ),
    );

  it('returns what was saved, by one read, of this tenant only, with any trait names', async () => {
    const store = new FeatureStore(db);
    const properties = { 'a.b': 1, $set: 'x', '': null, nested: { kept: false } };
    const state = foldEvents(emptyState('cus_1'), [
      anEvent({ type: 'profile_update', properties }),
      anEvent({ type: 'lead_submitted', properties }),
    ]);
    expect(await store.save('t', [{ state, revision: 0 }], at(0))).toEqual([]);
    const found = await store.get('t', ['cus_1', 'cus_unknown']);
    expect([...found.keys()]).toEqual(['cus_1']);
    expect(found.get('cus_1')).toEqual({
      customerId: 'cus_1',
      state,
      revision: 1,
      isCurrent: true,
      updatedAt: at(0),
    });
    expect((await store.get('u', ['cus_1'])).size).toBe(0);
  });

  it('writes nothing for a customer whose document changed meanwhile, and the others all the same', async () => {
    const store = new FeatureStore(db);
    const entry = (id: string, revision: number) => ({ state: viewer(id, ['p']), revision });
    await store.save('t', [entry('cus_2', 0)], at(0));
    const lost = await store.save('t', [entry('cus_3', 0), entry('cus_2', 0), entry('cus_4', 7)], at(1));
    expect(lost).toEqual(['cus_2']);
    const found = await store.get('t', ['cus_2', 'cus_3']);
    expect(found.get('cus_2')).toMatchObject({ revision: 1, updatedAt: at(0) });
    expect(found.get('cus_3')?.revision).toBe(1);
    expect(await store.save('t', [entry('cus_2', 1)], at(2))).toEqual([]);
  });

  it('ranks items by the number of customers, not of interactions, and leaves irrelevant ones out', async () => {
    await db.collection(FEATURES_COLLECTION).deleteMany({});
    const store = new FeatureStore(db);
    const states = [
      viewer('cus_5', ['p', 'p', 'p', 'q']),
      viewer('cus_6', ['q']),
      viewer('cus_7', ['r'], 'interaction'),
      viewer('cus_8', []),
    ];
    await store.save(
      't',
      states.map((state) => ({ state, revision: 0 })),
      at(0),
    );
    expect(await store.popularItems('t', 5)).toEqual([
      { productId: 'q', customers: 2 },
      { productId: 'p', customers: 1 },
    ]);
    expect(await store.popularItems('u', 5)).toEqual([]);
  });
});
