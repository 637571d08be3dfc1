import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MINUTE_MS } from './sketch-record.js';
import { latencyQuantile, NO_SHADOW, type TrafficSlot } from './traffic-slot.js';
import { TrafficRepository } from './traffic.repository.js';

const MINUTE = Date.parse('2026-03-01T10:00:00Z');
const model = { tenantId: 'demo', model: 'demo.lead' };
const between = { from: new Date(MINUTE), to: new Date(MINUTE + 2 * MINUTE_MS) };

let mongo: TestMongo;
let client: MongoClient;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = new MongoClient(mongo.uri);
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

async function anEmptyStore(): Promise<TrafficRepository> {
  await client.db().collection('monitoring_traffic').deleteMany({});
  const store = new TrafficRepository(client.db());
  await store.ensureIndexes();
  return store;
}

function aSlot(facts: Partial<TrafficSlot> = {}): TrafficSlot {
  return {
    ...model,
    version: 1,
    minute: new Date(MINUTE),
    worker: 'a',
    role: 'live',
    calls: 10,
    failures: 1,
    rejected: 2,
    latency: { boundsMs: [1, 10], counts: [4, 2, 1], sumMs: 40 },
    batches: 5,
    rows: 50,
    computeMs: 7,
    shadow: NO_SHADOW,
    ...facts,
  };
}

describe('TrafficRepository', () => {
  it('adds up workers and minutes by version and role', async () => {
    const store = await anEmptyStore();
    const shadow = {
      ...NO_SHADOW,
      runs: 3,
      values: 6,
      sumAbsoluteDifference: 0.5,
      maxAbsoluteDifference: 0.4,
    };
    await store.record([
      aSlot(),
      aSlot({ worker: 'b' }),
      aSlot({ minute: new Date(MINUTE + MINUTE_MS) }),
      aSlot({ minute: new Date(MINUTE + 2 * MINUTE_MS) }),
      aSlot({ version: 2, role: 'shadow', shadow }),
      aSlot({ version: 2, role: 'shadow', worker: 'b', shadow: { ...shadow, maxAbsoluteDifference: 0.9 } }),
    ]);
    const [live, challenger] = await store.read(model, between);
    expect(live).toMatchObject({ version: 1, role: 'live', calls: 30, failures: 3, rejected: 6, rows: 150 });
    expect(live?.latency).toEqual({ boundsMs: [1, 10], counts: [12, 6, 3], sumMs: 120 });
    expect(challenger?.shadow).toMatchObject({
      runs: 6,
      sumAbsoluteDifference: 1,
      maxAbsoluteDifference: 0.9,
    });
  });

  it('takes the newest total of a minute, and an older one that comes late changes nothing', async () => {
    const store = await anEmptyStore();
    await store.record([aSlot({ calls: 20 }), aSlot({ calls: 10 }), aSlot({ calls: 20 })]);
    expect((await store.read(model, between))[0]?.calls).toBe(20);
  });

  it('knows when a model was last asked', async () => {
    const store = await anEmptyStore();
    expect(await store.lastCalledAt('demo', 'demo.lead')).toBeNull();
    await store.record([aSlot(), aSlot({ minute: new Date(MINUTE + MINUTE_MS), calls: 0, batches: 9 })]);
    expect(await store.lastCalledAt('demo', 'demo.lead')).toEqual(new Date(MINUTE));
    expect(await store.lastCalledAt('other', 'demo.lead')).toBeNull();
  });
});

describe('latencyQuantile', () => {
  it('is linear within a bucket, the largest bound beyond it, and null without observations', () => {
    const latency = { boundsMs: [1, 10], counts: [2, 6, 2], sumMs: 0 };
    expect(latencyQuantile(latency, 0.5)).toBe(1 + (9 * 3) / 6);
    expect(latencyQuantile(latency, 0.2)).toBe(1);
    expect(latencyQuantile(latency, 1)).toBe(10);
    expect(latencyQuantile({ boundsMs: [1], counts: [0, 0], sumMs: 0 }, 0.5)).toBeNull();
  });
});
