import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { EventHistory } from './event-history.repository.js';
import { anEvent } from './stored-event.fixture.js';
import { EVENTS_COLLECTION, type StoredEvent } from './stored-event.js';
import { TrainingConsents } from './training-consent.repository.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));
const NOW = at(30);

let mongo: TestMongo;
let client: MongoClient;
let db: Db;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  db = client.db();
  await new EventHistory(db).createIndexes();
});
afterEach(async () => {
  await db.collection(EVENTS_COLLECTION).deleteMany({});
  await db.collection('consent_policies').deleteMany({});
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const said = (customerId: string, minute: number, properties: Record<string, unknown>): StoredEvent =>
  anEvent({
    customerId,
    type: 'consent_changed',
    at: at(minute),
    properties: { purpose: 'TRAINING', ...properties },
  });

async function allowed(events: StoredEvent[], ids: string[]): Promise<string[]> {
  if (events.length > 0) await db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany(events);
  const consent = await new TrainingConsents(db).read('t', NOW);
  return ids.filter((id) => consent.allows(id));
}

describe('TrainingConsents.read', () => {
  it('allows whoever said nothing, and nobody who refused, whatever they said before', async () => {
    const events = [
      said('a', 1, { state: 'GRANTED' }),
      said('a', 2, { state: 'DENIED' }),
      said('b', 1, { state: 'DENIED' }),
      said('b', 2, { state: 'GRANTED' }),
      said('c', 1, { state: 'DENIED' }),
      said('c', 2, { state: 'UNKNOWN' }),
      said('d', 1, { state: 'DENIED', purpose: 'ADS' }),
      { ...said('e', 1, { state: 'DENIED' }), tenantId: 'other' },
    ];
    expect(await allowed(events, ['a', 'b', 'c', 'd', 'e', 'silent'])).toEqual([
      'b',
      'c',
      'd',
      'e',
      'silent',
    ]);
  });

  it('takes a denial for the last word of an instant, in either order of the ids', async () => {
    const [first, second] = [said('a', 1, { state: 'GRANTED' }), said('a', 1, { state: 'DENIED' })];
    const [third, fourth] = [said('b', 1, { state: 'DENIED' }), said('b', 1, { state: 'GRANTED' })];
    expect(await allowed([first, second, third, fourth], ['a', 'b'])).toEqual([]);
  });

  it('heeds what was said after now: a future word is a word', async () => {
    expect(await allowed([said('a', 59, { state: 'DENIED' })], ['a'])).toEqual([]);
  });

  it('learns only from who granted it, and until the grant runs out, where the tenant says so', async () => {
    await new TrainingConsents(db).savePolicy('t', { learnsFromUnknown: false });
    const events = [
      said('a', 1, { state: 'GRANTED' }),
      said('b', 1, { state: 'GRANTED', expiresAt: at(30).toISOString() }),
      said('c', 1, { state: 'GRANTED', expiresAt: at(31).toISOString() }),
      said('d', 1, { state: 'DENIED' }),
    ];
    expect(await allowed(events, ['a', 'b', 'c', 'd', 'silent'])).toEqual(['a', 'c']);
  });

  it('knows the policy of each tenant, and the default of one that set none', async () => {
    const consents = new TrainingConsents(db);
    await consents.savePolicy('t', { learnsFromUnknown: false });
    expect(await consents.findPolicy('t')).toEqual({ learnsFromUnknown: false });
    expect(await consents.findPolicy('u')).toEqual({ learnsFromUnknown: true });
  });

  it('asks the small index, not the whole history', async () => {
    const visits = Array.from({ length: 500 }, (_, i) => anEvent({ customerId: `c${i}`, at: at(1) }));
    await db
      .collection<StoredEvent>(EVENTS_COLLECTION)
      .insertMany([...visits, said('a', 1, { state: 'DENIED' })]);
    const plan = await db
      .collection(EVENTS_COLLECTION)
      .find({ tenantId: 't', type: 'consent_changed', 'properties.purpose': 'TRAINING' })
      .sort({ customerId: 1, at: 1 })
      .explain('executionStats');
    expect(plan['executionStats'].totalDocsExamined).toBe(1);
  });
});
