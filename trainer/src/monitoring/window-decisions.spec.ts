import { DecisionRepository, newDecisionId, OutcomeRepository } from '@sextant/decision-log';
import { emptyState, FeatureStore } from '@sextant/features';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DecisionReader } from './window-decisions.js';

const DAY_MS = 86_400_000;
const FROM = Date.parse('2026-03-10T00:00:00Z');
const window = { from: new Date(FROM), to: new Date(FROM + DAY_MS) };
const version = { tenantId: 'demo', id: 'demo.churn@1', horizonDays: 30, protectedTraits: ['gender'] };

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
beforeEach(async () => {
  await db.dropDatabase();
});

interface Decided {
  at: number;
  who?: string;
  probability?: number;
  input?: unknown;
  rung?: 'MODEL' | 'CACHE' | 'HEURISTIC';
  reward?: number;
  tenantId?: string;
}

async function decide(rows: readonly Decided[]): Promise<void> {
  for (const {
    at,
    who = 'cus_1',
    probability = 0.5,
    rung = 'MODEL',
    reward,
    tenantId = 'demo',
    input = { visits: 1 },
  } of rows) {
    const [id, decidedAt] = [newDecisionId(new Date(at)), new Date(at)];
    await new DecisionRepository(db).insertMany([
      {
        ...{ id, tenantId, kind: 'churn', subject: who, customerId: who, at: decidedAt, rung },
        inputJson: JSON.stringify(input),
        ...{ modelVersion: 'demo.churn@1', fallbackReason: null, device: 'CPU', repeats: null },
        ...{ inputHash: 'x', output: { probability }, propensity: null },
      },
    ]);
    if (reward === undefined) continue;
    const outcome = { decisionId: id, reward, at: decidedAt, idempotencyKey: id, decidedAt };
    await new OutcomeRepository(db).insertMany(tenantId, [outcome], new Date());
  }
}

const reader = (maxRows?: number): DecisionReader =>
  new DecisionReader(new DecisionRepository(db), new FeatureStore(db), maxRows);

describe('DecisionReader', () => {
  it('judges decisions in the window in which their horizon ends, the begin included and the end not', async () => {
    const horizon = 30 * DAY_MS;
    await decide([
      { at: FROM - horizon - 1, reward: 1 },
      { at: FROM - horizon, probability: 0.1, reward: 1 },
      { at: FROM + DAY_MS - horizon - 1, probability: 0.2 },
      { at: FROM + DAY_MS - horizon, probability: 0.3, reward: 1 },
      { at: FROM, probability: 0.4, reward: 1 },
      { at: FROM - horizon + 5, probability: 0.6, reward: 0 },
    ]);
    const { matured, current } = await reader().read(version, window);
    expect(Array.from(matured?.scores ?? [])).toEqual([0.1, 0.6, 0.2]);
    expect(Array.from(matured?.labels ?? [])).toEqual([1, 0, 0]);
    // What came of a decision of today is not known before its horizon has passed: who is won is told first.
    expect(Array.from(current.labels)).toEqual([-1]);
  });

  it('judges nothing where nobody tells what came of decisions, and says so', async () => {
    await decide([{ at: FROM - 30 * DAY_MS }, { at: FROM }]);
    const { matured, notes } = await reader().read(version, window);
    expect(matured).toBeNull();
    expect(notes).toEqual([
      'performance: no outcome was recorded of 1 decisions whose horizon ended in the window',
    ]);
  });

  it('takes what the model itself decided, of the own tenant', async () => {
    await decide([
      { at: FROM + 1 },
      { at: FROM + 2, rung: 'CACHE' },
      { at: FROM + 3, rung: 'HEURISTIC' },
      { at: FROM + 4, input: null },
      { at: FROM + 5, tenantId: 'other' },
    ]);
    const { current } = await reader().read(version, window);
    expect(current.scores).toHaveLength(1);
  });

  it('knows groups by the profile, else by the form, else not', async () => {
    const state = { ...emptyState('cus_1'), traits: { gender: 'f' } };
    await new FeatureStore(db).save('demo', [{ state, revision: 0 }], new Date());
    await decide([
      { at: FROM + 1, who: 'cus_1', input: { 'form.gender': 'm' } },
      { at: FROM + 2, who: 'cus_2', input: { 'form.gender': 'm' } },
      { at: FROM + 3, who: 'cus_3' },
    ]);
    const { current, customersPerRow } = await reader().read(version, window);
    expect(current.traits.get('gender')).toEqual(['f', 'm', '']);
    expect(customersPerRow).toBe(1);
  });

  it('looks at whole customers of a sample where there are too many rows, and says of how many', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({ at: FROM + i, who: `cus_${i % 30}` }));
    await decide(rows);
    const { current, notes } = await reader(40).read(version, window);
    expect(current.scores.length).toBeLessThanOrEqual(40);
    const subjects = current.subjects ?? [];
    expect(subjects.length).toBe(2 * new Set(subjects).size);
    expect(notes.some((note) => /one customer in (2|4|8) was looked at/.test(note))).toBe(true);
  });
});
