import { emptyState, FeatureStore } from '@sextant/features';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CustomerFeatures } from './customer-features.service.js';

const ids = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `cus_${from + i}`);

describe('CustomerFeatures', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let features: CustomerFeatures;
  const finds: CommandStartedEvent[] = [];
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri, { monitorCommands: true }).connect();
    client.on('commandStarted', (event) => {
      if (event.commandName === 'find') finds.push(event);
    });
    const store = new FeatureStore(client.db());
    const states = ids(0, 150).map((id) => ({ state: emptyState(id), revision: 0 }));
    await store.save('demo', states, new Date());
    await store.save(
      'other',
      [{ state: { ...emptyState('cus_other'), eventCount: 7 }, revision: 0 }],
      new Date(),
    );
    features = new CustomerFeatures(store, 10_000);
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(() => void (finds.length = 0));
  const namesOf = async (tenantId: string, customerIds: readonly string[]): Promise<string[]> =>
    (await features.statesOf(tenantId, customerIds)).map((each) =>
      each instanceof Error ? each.code : each.customerId,
    );

  it('reads what requests of one tenant ask for at once in one command, and gives each its own', async () => {
    const asked = [['cus_3'], ['cus_1', 'nobody'], ['cus_1'], ['cus_9', 'cus_2']];
    const found = await Promise.all(asked.map((each) => namesOf('demo', each)));
    expect(found).toEqual([['cus_3'], ['cus_1', 'CUSTOMER_NOT_FOUND'], ['cus_1'], ['cus_9', 'cus_2']]);
    expect(finds).toHaveLength(1);
    expect(await namesOf('demo', ['cus_4'])).toEqual(['cus_4']);
    expect(finds).toHaveLength(2);
  });

  it('never reads for two tenants together', async () => {
    const found = await Promise.all(
      ['demo', 'other'].map((tenant) => namesOf(tenant, ['cus_1', 'cus_other'])),
    );
    expect(found).toEqual([
      ['cus_1', 'CUSTOMER_NOT_FOUND'],
      ['CUSTOMER_NOT_FOUND', 'cus_other'],
    ]);
    expect(
      finds.map(({ command }) => (command['filter'] as { tenantId: string }).tenantId).toSorted(),
    ).toEqual(['demo', 'other']);
  });

  it('shares no read of many', async () => {
    const asked = [ids(0, 60), ids(60, 60), ids(0, 150), ids(120, 10)];
    expect(await Promise.all(asked.map((each) => namesOf('demo', each)))).toEqual(asked);
    const sizes = finds.map(
      ({ command }) => (command['filter'] as { _id: { $in: string[] } })._id.$in.length,
    );
    expect(sizes.toSorted((a, b) => a - b)).toEqual([60, 70, 150]);
  });

  it('tells everyone who shares a read that it failed', async () => {
    const broken = await new MongoClient(mongo.uri).connect();
    const unread = new CustomerFeatures(new FeatureStore(broken.db()), 10_000);
    await broken.close();
    const outcomes = await Promise.allSettled([
      unread.statesOf('demo', ['a']),
      unread.statesOf('demo', ['b']),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
