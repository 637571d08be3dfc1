import { startTestMongo, type TestMongo } from '@sextant/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decidedAtOf, newDecisionId } from './decision-id.js';
import { DecisionRepository } from './decision.repository.js';
import type { LoggedDecision, NewDecision } from './logged-decision.js';
import type { Outcome } from './outcome.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { OutcomeRepository } from './outcome.repository.js';

const NOW = new Date('2026-05-01T12:00:00Z');
const minutes = (count: number): Date => new Date(NOW.getTime() + count * 60_000);

const aDecision = (at: Date, overrides: Partial<LoggedDecision> = {}): LoggedDecision => ({
  ...{ id: newDecisionId(at), tenantId: 'demo', kind: 'lead', subject: 'cus_1', customerId: 'cus_1', at },
  ...{ modelVersion: 'demo.lead@1', rung: 'MODEL', fallbackReason: null, device: 'CPU', repeats: null },
  ...{ input: { a: 1 }, inputHash: 'x', output: { probability: 0.5 }, propensity: null },
  ...overrides,
});

const asNew = ({ input, ...decision }: LoggedDecision): NewDecision => ({
  ...decision,
  inputJson: JSON.stringify(input),
});

describe('decision log', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let decisions: DecisionRepository;
  let outcomes: OutcomeRepository;
  let recorder: OutcomeRecorder;
  beforeAll(async () => {
    mongo = await startTestMongo();
    client = await new MongoClient(mongo.uri).connect();
  });
  afterAll(async () => {
    await client.close();
    await mongo.stop();
  });
  beforeEach(async () => {
    await client.db().dropDatabase();
    decisions = new DecisionRepository(client.db());
    outcomes = new OutcomeRepository(client.db());
    recorder = new OutcomeRecorder(decisions, outcomes, { now: () => NOW });
    await Promise.all([decisions.ensureIndexes(), outcomes.ensureIndexes()]);
  });

  const stored = async (at: Date, overrides: Partial<LoggedDecision> = {}): Promise<LoggedDecision> => {
    const decision = aDecision(at, overrides);
    await decisions.insertMany([asNew(decision)]);
    return decision;
  };
  const anOutcome = (decisionId: string, overrides: Partial<Outcome> = {}): Outcome => ({
    ...{ decisionId, reward: 1, at: minutes(-1), idempotencyKey: `key of ${decisionId}` },
    ...overrides,
  });

  it('carries the instant in the id of a decision', () => {
    expect(decidedAtOf(newDecisionId(NOW))).toEqual(NOW);
    for (const bad of ['', 'dec_1', `${newDecisionId(NOW)}0`, newDecisionId(NOW).toUpperCase()])
      expect(decidedAtOf(bad)).toBeNull();
  });

  it('records each key once, however often and from however many callers it comes', async () => {
    const { id } = await stored(minutes(-60));
    const outcome = anOutcome(id);
    const all = await Promise.all(
      Array.from({ length: 8 }, () => recorder.record('demo', [outcome, outcome])),
    );
    expect(all.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(1);
    expect(all.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(15);
    expect(await outcomes.summariesOf('demo', [id])).toEqual(
      new Map([[id, { reward: 1, at: minutes(-1), count: 1, source: 'RECORDED' }]]),
    );
  });

  it('refuses a known key with other content by itself, and adds up the outcomes of a decision', async () => {
    const [first, second] = [await stored(minutes(-60)), await stored(minutes(-30))];
    await recorder.record('demo', [anOutcome(first.id, { idempotencyKey: 'a', reward: 2 })]);
    const recorded = await recorder.record('demo', [
      anOutcome(first.id, { idempotencyKey: 'a', reward: 3 }),
      anOutcome(second.id, { idempotencyKey: 'a', reward: 2 }),
      anOutcome(first.id, { idempotencyKey: 'b', reward: 5, at: minutes(-2) }),
    ]);
    expect(recorded).toMatchObject({ recorded: 1, duplicates: 0, unknown: [] });
    expect(recorded.rejected.map(({ idempotencyKey, code }) => [idempotencyKey, code])).toEqual([
      ['a', 'IDEMPOTENCY_CONFLICT'],
      ['a', 'IDEMPOTENCY_CONFLICT'],
    ]);
    expect(await outcomes.summariesOf('demo', [first.id, second.id])).toEqual(
      new Map([[first.id, { reward: 7, at: minutes(-1), count: 2, source: 'RECORDED' }]]),
    );
  });

  it('names what is wrong with a row and records the others', async () => {
    const { id } = await stored(minutes(-60));
    const { recorded, rejected } = await recorder.record('demo', [
      anOutcome(id, { idempotencyKey: 'nan', reward: Number.NaN }),
      anOutcome(id, { idempotencyKey: 'large', reward: -1.1e9 }),
      anOutcome(id, { idempotencyKey: 'future', at: minutes(2) }),
      anOutcome(id, { idempotencyKey: 'before', at: minutes(-62) }),
      anOutcome(id, { idempotencyKey: '' }),
      anOutcome(id, { idempotencyKey: 'good' }),
    ]);
    expect(recorded).toBe(1);
    expect(rejected.map(({ idempotencyKey, code, message }) => [idempotencyKey, code, message])).toEqual([
      ['nan', 'INVALID_INPUT', expect.stringContaining('got NaN')],
      ['large', 'INVALID_INPUT', expect.stringContaining('got -1100000000')],
      ['future', 'INVALID_INPUT', expect.stringContaining('future')],
      ['before', 'INVALID_INPUT', expect.stringContaining('before the decision')],
      ['', 'INVALID_INPUT', expect.stringContaining('1 to 128 characters')],
    ]);
  });

  it('reports ids of other tenants, of old decisions and of no decision, and keeps nothing of them', async () => {
    const foreign = await stored(minutes(-60), { tenantId: 'other' });
    const gone = newDecisionId(minutes(-16));
    const ids = [foreign.id, gone, 'no id', newDecisionId(minutes(5))];
    const { recorded, unknown } = await recorder.record(
      'demo',
      ids.map((id) => anOutcome(id)),
    );
    expect({ recorded, unknown }).toEqual({ recorded: 0, unknown: ids });
    expect(await client.db().collection('outcomes').countDocuments()).toBe(0);
  });

  it('keeps an outcome that is faster than the row of its decision', async () => {
    const late = aDecision(minutes(-14));
    expect(await recorder.record('demo', [anOutcome(late.id)])).toMatchObject({ recorded: 1, unknown: [] });
    await decisions.insertMany([asNew(late)]);
    const batches = decisions.joinedBatches('demo', {
      modelVersion: 'demo.lead@1',
      from: minutes(-20),
      to: NOW,
    });
    expect((await Array.fromAsync(batches)).flat()).toMatchObject([{ id: late.id, outcome: { reward: 1 } }]);
  });

  it('reads the decisions of a version in a window with their outcomes, oldest first, in batches', async () => {
    const rows = Array.from({ length: 25 }, (_, i) => aDecision(minutes(i - 100)));
    await decisions.insertMany(rows.map(asNew));
    await stored(minutes(-90), { modelVersion: 'demo.lead@2' });
    await stored(minutes(-90), { tenantId: 'other' });
    await recorder.record('demo', [anOutcome(rows[3]?.id ?? '', { reward: 0 })]);
    const window = { modelVersion: 'demo.lead@1', from: minutes(-98), to: minutes(-80) };
    const batches = await Array.fromAsync(decisions.joinedBatches('demo', window, { batchRows: 7 }));
    expect(batches.map((batch) => batch.length)).toEqual([7, 7, 4]);
    expect(batches.flat().map(({ id }) => id)).toEqual(rows.slice(2, 20).map(({ id }) => id));
    expect(batches.flat().map(({ outcome }) => outcome?.reward ?? null)).toEqual([
      null,
      0,
      ...Array<null>(16).fill(null),
    ]);
    expect(batches.flat().every(({ input }) => input === null)).toBe(true);
    const [whole] = await Array.fromAsync(decisions.joinedBatches('demo', window, { withInput: true }));
    expect(whole?.[0]?.input).toEqual({ a: 1 });
    const plan = await client
      .db()
      .collection('decisions')
      .find({ tenantId: 'demo', modelVersion: 'demo.lead@1', at: { $gte: window.from } })
      .sort({ at: 1 })
      .explain('queryPlanner');
    expect(JSON.stringify(plan['queryPlanner'].winningPlan)).toContain('of_version_by_time');
  });

  it('reads rows of an earlier release', async () => {
    const { device: _device, repeats: _repeats, id, ...row } = aDecision(NOW);
    await client
      .db()
      .collection<{ _id: string }>('decisions')
      .insertOne({ _id: id, ...row });
    expect(await decisions.find('demo', id)).toMatchObject({ id, device: null, repeats: null });
  });
});
