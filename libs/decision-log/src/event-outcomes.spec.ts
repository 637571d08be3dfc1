import { EventHistory, eventKey, EVENTS_COLLECTION, type StoredEvent } from '@sextant/features';
import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newDecisionId } from './decision-id.js';
import { DecisionRepository } from './decision.repository.js';
import { EventOutcomes, outcomeInEvents } from './event-outcomes.js';
import type { LoggedDecision } from './logged-decision.js';
import { OutcomeRepository } from './outcome.repository.js';

const START = Date.UTC(2026, 2, 1);
const day = (count: number): Date => new Date(START + count * 86_400_000);

const aDecision = (overrides: Partial<LoggedDecision> = {}): LoggedDecision => ({
  ...{ id: newDecisionId(day(0)), tenantId: 'demo', kind: 'churn', subject: 'cus_1', customerId: 'cus_1' },
  ...{ at: day(0), modelVersion: 'demo.churn@1', rung: 'MODEL', fallbackReason: null, device: 'CPU' },
  ...{ repeats: null, input: {}, inputHash: 'x', output: { basis: 'BEHAVIOUR' }, propensity: null },
  ...overrides,
});
const anEvent = (type: string, at: Date, properties: object = {}): StoredEvent => ({
  ...{ _id: eventKey('demo', `${type} ${at.getTime()}`), tenantId: 'demo', customerId: 'cus_1', type, at },
  properties: { ...properties },
});
const order = (at: Date, productId: string): StoredEvent =>
  anEvent('order', at, { lines: [{ productId, quantity: 1, unitPrice: '9.90' }] });

describe('outcomeInEvents', () => {
  const rewardOf = (decision: LoggedDecision, events: StoredEvent[], end: Date): number | undefined =>
    outcomeInEvents(decision, events, end)?.reward;

  it('tells of churn by the first activity, and by silence once thirty days are over', () => {
    const churn = aDecision();
    const mail = anEvent('email_open', day(2));
    expect(outcomeInEvents(churn, [anEvent('page_visit', day(12))], day(13))).toEqual({
      ...{ reward: 0, at: day(12), count: 1, source: 'EVENTS' },
    });
    expect(rewardOf(churn, [mail], day(29))).toBeUndefined();
    expect(outcomeInEvents(churn, [mail], day(30))).toMatchObject({ reward: 1, at: day(30) });
    expect(rewardOf(churn, [anEvent('page_visit', day(0)), anEvent('page_visit', day(31))], day(40))).toBe(1);
    expect(rewardOf(aDecision({ output: { basis: 'UNFAMILIAR' } }), [], day(40))).toBeUndefined();
  });

  it('tells of a lead by the first sales outcome, of a form only', () => {
    const lead = aDecision({ kind: 'lead', output: { basis: 'FORM' } });
    const [lost, won] = [
      anEvent('sales_outcome', day(5), { won: false }),
      anEvent('sales_outcome', day(9), { won: true }),
    ];
    expect(rewardOf(lead, [lost, won], day(10))).toBe(0);
    expect(rewardOf(lead, [won], day(10))).toBe(1);
    expect(rewardOf(lead, [], day(31))).toBe(0);
    expect(rewardOf(aDecision({ kind: 'lead' }), [won], day(31))).toBeUndefined();
  });

  it('tells of purchases and slates by orders within a week', () => {
    const purchase = aDecision({ kind: 'purchase' });
    const slate = aDecision({
      kind: 'recommend',
      output: { items: [{ productId: 'p1' }, { productId: 'p2' }] },
    });
    expect(rewardOf(purchase, [order(day(3), 'p9')], day(4))).toBe(1);
    expect(rewardOf(purchase, [order(day(8), 'p9')], day(9))).toBe(0);
    expect(rewardOf(slate, [order(day(3), 'p9')], day(4))).toBeUndefined();
    expect(rewardOf(slate, [order(day(3), 'p9'), order(day(4), 'p2')], day(5))).toBe(1);
    expect(rewardOf(slate, [order(day(3), 'p9')], day(7))).toBe(0);
    for (const kind of ['price', 'lifetime', 'uplift'] as const)
      expect(rewardOf(aDecision({ kind }), [order(day(3), 'p1')], day(99))).toBeUndefined();
  });
});

describe('EventOutcomes', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });

  it('stand where nobody recorded one, and never beside a recorded one', async () => {
    const db = client.db();
    const history = new EventHistory(db);
    await history.createIndexes();
    const decisions = new DecisionRepository(db, new EventOutcomes(history, { now: () => day(20) }));
    const rows = ['cus_1', 'cus_2', 'cus_3', null].map((customerId, i) =>
      aDecision({ id: newDecisionId(day(0)), customerId, at: new Date(START + i) }),
    );
    await decisions.insertMany(
      rows.map(({ input, ...row }) => ({ ...row, inputJson: JSON.stringify(input) })),
    );
    const events = [
      { ...anEvent('page_visit', day(4)), customerId: 'cus_1' },
      { ...anEvent('page_visit', day(6)), customerId: 'cus_3', _id: 'demo:x' },
      { ...anEvent('page_visit', day(6)), customerId: 'cus_2', tenantId: 'other', _id: 'other:x' },
      { ...anEvent('email_open', day(19)), customerId: 'cus_2' },
    ];
    await db.collection<StoredEvent>(EVENTS_COLLECTION).insertMany(events);
    const [, , third] = rows;
    const recorded = { decisionId: third?.id ?? '', reward: 1, at: day(1), idempotencyKey: 'k' };
    await new OutcomeRepository(db).insertMany('demo', [{ ...recorded, decidedAt: day(0) }], day(2));
    const window = { modelVersion: 'demo.churn@1', from: day(-1), to: day(1) };
    const [batch] = await Array.fromAsync(decisions.joinedBatches('demo', window));
    expect(batch?.map(({ outcome }) => outcome && [outcome.source, outcome.reward])).toEqual([
      ['EVENTS', 0],
      null,
      ['RECORDED', 1],
      null,
    ]);
  });
});
