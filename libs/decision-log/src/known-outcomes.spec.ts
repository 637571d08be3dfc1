import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KnownOutcomes, type OutcomeReading } from './known-outcomes.repository.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 1, 0, minute));

let mongo: TestMongo;
let client: MongoClient;
let known: KnownOutcomes;
beforeAll(async () => {
  mongo = await startTestMongo();
  client = await new MongoClient(mongo.uri).connect();
  known = new KnownOutcomes(client.db());
  await known.ensureIndexes();
  const row = (tenantId: string, id: string, modelVersion: string) => ({ _id: id, tenantId, modelVersion });
  await client
    .db()
    .collection<{ _id: string }>('decisions')
    .insertMany([
      row('demo', 'a', 'demo.lead@1'),
      row('demo', 'b', 'demo.lead@2'),
      row('demo', 'c', 'demo.lead@3'),
      row('demo', 'd', 'demo.lead@1'),
      row('other', 'e', 'demo.lead@1'),
    ]);
  const outcome = (
    tenantId: string,
    decisionId: string,
    [reward, decided, recorded]: [number, number, number],
  ) => ({
    ...{ tenantId, decisionId, reward, decidedAt: at(decided), recordedAt: at(recorded) },
  });
  await client
    .db()
    .collection('outcomes')
    .insertMany([
      outcome('demo', 'b', [0, 5, 30]),
      outcome('demo', 'a', [1, 5, 20]),
      outcome('demo', 'a', [2, 5, 21]),
      outcome('demo', 'c', [1, 5, 22]),
      outcome('demo', 'd', [1, 1, 23]),
      outcome('demo', 'not stored yet', [1, 5, 24]),
      outcome('other', 'e', [1, 5, 25]),
    ]);
});
afterAll(async () => {
  await client.close();
  await mongo.stop();
});

const read = (rest: Partial<OutcomeReading> = {}) =>
  known.read({
    tenantId: 'demo',
    modelVersions: ['demo.lead@1', 'demo.lead@2'],
    decidedFrom: at(5),
    recordedFrom: at(0),
    first: 100,
    ...rest,
  });

describe('KnownOutcomes.read', () => {
  it('gives decisions of the versions as their outcomes became known, rewards of one decision added up', async () => {
    const { rows, recordedUpTo, isFull } = await read();
    expect(rows.map(({ decision, reward }) => [decision.id, reward])).toEqual([
      ['a', 3],
      ['b', 0],
    ]);
    expect({ recordedUpTo, isFull }).toEqual({ recordedUpTo: at(30), isFull: false });
  });

  it('goes on where it ended, the last instant included', async () => {
    const first = await read({ first: 2 });
    expect(first.rows.map(({ decision }) => decision.id)).toEqual(['a']);
    expect({ at: first.recordedUpTo, isFull: first.isFull }).toEqual({ at: at(21), isFull: true });
    const next = await read({ recordedFrom: at(22) });
    expect(next.rows.map(({ decision }) => decision.id)).toEqual(['b']);
  });

  it('stays where it is while nothing is new', async () => {
    expect(await read({ recordedFrom: at(31) })).toEqual({ rows: [], recordedUpTo: at(31), isFull: false });
  });
});
