import { customerIdOf, EventHistory, EVENTS_COLLECTION, type StoredEvent } from '@sextant/features';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrainingData } from './training-data.js';

const order = (who: string, at: string, unitPrice: string, currency: string): StoredEvent =>
  ({
    _id: `demo ${who} ${at}`,
    tenantId: 'demo',
    customerId: customerIdOf('demo', who),
    type: 'order',
    at: new Date(at),
    properties: { currency, lines: [{ productId: 'p', quantity: 2, unitPrice }] },
  }) as unknown as StoredEvent;

describe('TrainingData.purchases', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
    await new EventHistory(client.db()).createIndexes();
    await client
      .db()
      .collection<StoredEvent>(EVENTS_COLLECTION)
      .insertMany([
        order('shop:1', '2026-01-01T23:00:00Z', '5.00', 'EUR'),
        order('shop:1', '2026-01-02T01:00:00Z', '7.50', 'EUR'),
        order('shop:2', '2026-01-03T12:00:00Z', '1.00', 'USD'),
        order('shop:2', '2026-02-01T12:00:00Z', '9.00', 'EUR'),
        { ...order('shop:3', '2026-01-05T12:00:00Z', '9.00', 'EUR'), tenantId: 'other' },
      ]);
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });

  it('are days and values of each customer up to the end of the history, none of the future', async () => {
    const data = new TrainingData(client.db(), 'demo', new Date('2026-01-20T00:00:00Z'));
    const { customers, until, currencies, dataRows } = await data.purchases();
    const day = (text: string): number => Date.parse(text) / 86_400_000;
    expect(customers.toSorted((a, b) => b.length - a.length)).toEqual([
      [
        { day: day('2026-01-01'), value: 10 },
        { day: day('2026-01-02'), value: 15 },
      ],
      [{ day: day('2026-01-03'), value: 2 }],
    ]);
    expect([until, currencies, dataRows]).toEqual([day('2026-01-03'), ['EUR', 'USD'], 3]);
  });
});
