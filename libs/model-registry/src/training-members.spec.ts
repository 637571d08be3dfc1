import { createHash } from 'node:crypto';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrainingMembers } from './training-members.repository.js';

let mongo: TestMongo;
let client: MongoClient;
let db: Db;
let members: TrainingMembers;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  db = client.db();
  members = new TrainingMembers(db);
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const idOf = (n: number): string =>
  `cus_${createHash('sha256').update(String(n)).digest('hex').slice(0, 24)}`;
const ids = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => idOf(from + i));
const version = (number: number, tenantId = 't') => ({ tenantId, versionId: `${tenantId}.churn@${number}` });

describe('TrainingMembers', () => {
  it('tells exactly the versions that a customer was learnt from, of any size', async () => {
    await members.record(version(1), ids(0, 3));
    await members.record(version(2), ids(2, 4_098)); // one bucket, full
    await members.record(version(3), ids(2, 4_099)); // sixteen
    await members.record(version(4), []);
    await members.record(version(1, 'u'), ids(0, 10));

    expect(await members.versionsTrainedOn('t', idOf(0))).toEqual(['t.churn@1']);
    expect(await members.versionsTrainedOn('t', idOf(2))).toEqual(['t.churn@1', 't.churn@2', 't.churn@3']);
    expect(await members.versionsTrainedOn('t', idOf(4_097))).toEqual(['t.churn@2', 't.churn@3']);
    expect(await members.versionsTrainedOn('t', idOf(4_098))).toEqual(['t.churn@3']);
    expect(await members.versionsTrainedOn('t', idOf(4_099))).toEqual([]);
    expect(await members.versionsTrainedOn('u', idOf(0))).toEqual(['u.churn@1']);
    expect(await db.collection('training_members').countDocuments({ versionId: 't.churn@2' })).toBe(1);
    expect(await db.collection('training_members').countDocuments({ versionId: 't.churn@3' })).toBe(16);
  });

  it('counts each customer once, and knows nothing of a version that was not recorded', async () => {
    await members.record(version(5), [idOf(1), idOf(1), idOf(2)]);
    const counts = await members.countMany('t', ['t.churn@5', 't.churn@4', 't.churn@99']);
    expect([...counts].toSorted()).toEqual([
      ['t.churn@4', 0],
      ['t.churn@5', 2],
    ]);
    expect((await members.countMany('u', ['t.churn@5'])).size).toBe(0);
  });

  it('replaces what a version had, and finds every member and nobody else among thousands', async () => {
    const all = ids(10_000, 80_000);
    await members.record(version(6), ids(0, 20));
    await members.record(version(6), all);
    expect(await members.countMany('t', ['t.churn@6'])).toEqual(new Map([['t.churn@6', 70_000]]));
    for (const id of [...all.filter((_, i) => i % 3_500 === 0), all.at(-1) ?? ''])
      expect(await members.versionsTrainedOn('t', id)).toEqual(['t.churn@6']);
    expect(await members.versionsTrainedOn('t', idOf(10))).not.toContain('t.churn@6');
  });

  it('takes a set that was not written whole for none', async () => {
    await members.record(version(7), [idOf(200_000)]);
    await db.collection<{ _id: string }>('training_lineages').deleteOne({ _id: 't.churn@7' });
    expect(await members.versionsTrainedOn('t', idOf(200_000))).toEqual([]);
  });
});
