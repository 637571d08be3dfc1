import { type TestMongo, startTestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreLease } from './store-lease.js';

let mongo: TestMongo;
let client: MongoClient;
let now = Date.parse('2026-03-01T00:00:00Z');
const clock = { now: () => new Date(now) };

beforeAll(async () => {
  mongo = await startTestMongo();
  client = new MongoClient(mongo.uri);
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const lease = (name: string): StoreLease => new StoreLease(client.db(), name, 10_000, clock);

describe('StoreLease', () => {
  it('belongs to one of many that ask at once', async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => lease('one').hold()));
    expect(asked.filter(Boolean)).toHaveLength(1);
  });

  it('stays with its holder as long as it is renewed, and goes to another once its time has passed', async () => {
    const [first, second] = [lease('two'), lease('two')];
    expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    now += 9_999;
    expect([await first.hold(), await second.hold()]).toEqual([true, false]);
    now += 9_999;
    expect(await second.hold()).toBe(false);
    now += 1;
    expect([await second.hold(), await first.hold()]).toEqual([true, false]);
  });

  it('is free at once when it was released, by its holder only', async () => {
    const [first, second] = [lease('three'), lease('three')];
    await first.hold();
    await second.release();
    expect(await second.hold()).toBe(false);
    await first.release();
    expect(await second.hold()).toBe(true);
  });
});
