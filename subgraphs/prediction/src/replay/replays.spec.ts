import { DomainError, ROLE_SCOPES } from '@sextant/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  anIdentity,
  aPrediction,
  leadForm,
  type Prediction,
  until,
  viewed,
} from '../testing/prediction.fixture.js';

const ORDER = {
  type: 'order' as const,
  at: new Date('2026-03-01T00:00:00Z'),
  properties: {
    orderId: 'o1',
    currency: 'EUR',
    lines: [{ productId: 'p1', quantity: 1, unitPrice: '12.90' }],
  },
};
const DECIDE = `query ($id: ID!, $ids: [ID!]!) {
  _entities(representations: [{ __typename: "Customer", id: $id }]) {
    ... on Customer {
      leadScore { decisionId } churnRisk { decisionId } purchaseLikelihood { decisionId }
      lifetimeValue { decisionId } nextBestAction(goal: "retain") { decisionId }
      recommendations(slot: "home", first: 5, exclude: ["p3"]) { decisionId }
    }
  }
  sessionRecommendations(session: { anonymousRef: "s1", viewed: ["p7", "p8"] }, slot: "home") { decisionId }
  priceQuotes(productIds: $ids, region: "north", quantity: 2) { decisionId }
}`;
const REPLAY =
  'id kind rung output replay { identical maxAbsDiff differences modelVersion device loggedDevice }';
const WINDOW = `query ($version: ID!, $from: DateTime!, $to: DateTime!, $first: Int) {
  replayDecisions(modelVersion: $version, from: $from, to: $to, first: $first) {
    replayed identical maxAbsDiff isComplete failed { code message count } differing { id }
  }
}`;

interface Replayed {
  id: string;
  kind: string;
  rung: string;
  replay: {
    identical: boolean;
    maxAbsDiff: number;
    differences: string[];
    modelVersion: string;
    device: string;
  };
}

describe('replay of logged decisions', () => {
  let prediction: Prediction;
  let customer: string;
  beforeAll(async () => {
    prediction = await aPrediction();
    for (const id of ['shoes', 'socks', 'hat']) prediction.catalogue.list(id, '49.90', '20.00');
    [customer = ''] = await prediction.customers([[leadForm(2_000), viewed('p2'), viewed('p5'), ORDER]]);
  });
  afterAll(() => prediction.stop());
  beforeEach(() => {
    prediction.worker.refusal = null;
    prediction.worker.requests.length = 0;
    prediction.worker.metadata.length = 0;
  });
  const decide = async (): Promise<string[]> => {
    const { data, errors } = await prediction.ask(DECIDE, { id: customer, ids: ['shoes', 'socks'] });
    expect(errors).toBeUndefined();
    const { _entities, sessionRecommendations, priceQuotes } = data;
    const decisions = [...Object.values(_entities[0]), sessionRecommendations, ...priceQuotes];
    return decisions.map((decision) => (decision as { decisionId: string }).decisionId);
  };
  const replay = async (ids: readonly string[]): Promise<Replayed[]> => {
    const fields = ids.map((id, i) => `d${i}: decision(id: "${id}") { ${REPLAY} }`);
    const { data, errors } = await prediction.ask(`{ ${fields.join('\n')} }`);
    expect(errors).toBeUndefined();
    return ids.map((_, i) => data[`d${i}`]);
  };
  /** Of rows in the store, so that what Mongo makes of them is part of it. */
  const stored = (ids: readonly string[]) =>
    until(
      () => prediction.db.collection<{ _id: string }>('decisions').countDocuments({ _id: { $in: [...ids] } }),
      (count) => count === ids.length,
      5_000,
    );

  it('is identical for every kind of decision, on the version that decided', async () => {
    const ids = await decide();
    await stored(ids);
    prediction.worker.requests.length = 0;
    const replays = await replay(ids);
    expect(replays.map(({ kind }) => kind).sort()).toEqual(
      ['churn', 'lead', 'lifetime', 'price', 'price', 'purchase', 'recommend', 'recommend', 'uplift'].sort(),
    );
    for (const each of replays) {
      expect(each).toMatchObject({
        rung: 'MODEL',
        replay: { identical: true, maxAbsDiff: 0, differences: [] },
      });
      expect(each.replay).toMatchObject({ device: 'CPU', loggedDevice: 'CPU' });
    }
    expect(prediction.worker.requests.length).toBeGreaterThan(0);
    for (const request of prediction.worker.requests) expect(request).toMatchObject({ version: '7' });
    for (const sent of prediction.worker.metadata.slice(-5))
      expect(sent).toMatchObject({ 'sextant-priority': 'low', 'sextant-counted': 'no' });
  });

  it('asks the worker once for all decisions of a kind, and once for one that is asked for often', async () => {
    const [first = '', second = ''] = [(await decide())[0], (await decide())[0]];
    prediction.worker.calls.length = 0;
    await replay([first, second, first, second, first]);
    expect(prediction.worker.calls).toEqual(['ScoreLeads']);
  });

  it('gives the cached answer of the decision that it came from, and a rule its own', async () => {
    const fromModel = await decide();
    prediction.worker.refusal = new DomainError('MODEL_NOT_FOUND', 'none');
    const fromCache = await decide();
    prediction.worker.refusal = null;
    await stored([...fromModel, ...fromCache]);
    const replays = await replay(fromCache);
    expect(replays.map(({ rung }) => rung)).toEqual(replays.map(() => 'CACHE'));
    for (const { replay: each } of replays)
      expect(each).toMatchObject({ identical: true, loggedDevice: null, device: 'CPU' });

    prediction.worker.refusal = new DomainError('MODEL_NOT_FOUND', 'none');
    const [stranger = ''] = await prediction.customers([[leadForm(5_000), viewed('p9'), ORDER]], 'demo');
    const { data } = await prediction.ask(
      `query ($id: ID!) { _entities(representations: [{ __typename: "Customer", id: $id }]) { ... on Customer {
        leadScore(budgetMs: 500) { decisionId } lifetimeValue(horizonDays: 99) { decisionId }
        recommendations(slot: "other") { decisionId } nextBestAction(goal: "other") { decisionId } } }
        similar: _entities(representations: [{ __typename: "Product", id: "p4" }]) { ... on Product { similar { decisionId } } }
        priceQuotes(productIds: ["hat"]) { decisionId } }`,
      { id: stranger },
    );
    prediction.worker.refusal = null;
    const fromRules = [...Object.values(data._entities[0]), data.similar[0].similar, ...data.priceQuotes].map(
      (decision) => (decision as { decisionId: string }).decisionId,
    );
    await stored(fromRules);
    const ruled = (await replay(fromRules)).filter(({ rung }) => rung === 'HEURISTIC');
    expect(new Set(ruled.map(({ kind }) => kind))).toEqual(
      new Set(['lifetime', 'recommend', 'uplift', 'price']),
    );
    for (const each of ruled)
      expect(each.replay).toMatchObject({ identical: true, device: 'NONE', loggedDevice: null });
  });

  it('tells what differs and by how much', async () => {
    const [id = ''] = await decide();
    await stored([id]);
    await prediction.db
      .collection<{ _id: string }>('decisions')
      .updateOne({ _id: id }, { $set: { 'output.probability': 0.25, 'output.band': 'COLD' } });
    const [found] = await replay([id]);
    expect(found?.replay).toMatchObject({ identical: false, differences: ['probability', 'band'] });
    expect(found?.replay.maxAbsDiff).toBeCloseTo(0.05, 12);
  });

  it('is refused by name where the log, the version or the worker lacks something', async () => {
    const [first = '', second = ''] = [(await decide())[0], (await decide())[0]];
    await stored([first, second]);
    const decisions = prediction.db.collection<{ _id: string }>('decisions');
    await decisions.updateOne({ _id: first }, { $set: { input: null } });
    const ask = (id: string) => prediction.ask(`{ decision(id: "${id}") { id replay { identical } } }`);
    const lacking = await ask(first);
    expect(lacking.data).toEqual({ decision: { id: first, replay: null } });
    expect(lacking.errors?.[0]).toMatchObject({ extensions: { code: 'DECISION_NOT_REPLAYABLE' } });
    prediction.worker.refusal = new DomainError('MODEL_VERSION_NOT_FOUND', 'no version 7');
    expect((await ask(second)).errors?.[0]).toMatchObject({
      extensions: { code: 'MODEL_VERSION_NOT_FOUND' },
    });
  });

  it('is done for a window, with a summary of what is not identical and why some cannot be', async () => {
    const from = new Date().toISOString();
    const ids: string[] = [];
    for (let i = 0; i < 12; i++) ids.push((await decide())[0] ?? '');
    await stored(ids);
    const decisions = prediction.db.collection<{ _id: string }>('decisions');
    await decisions.updateOne({ _id: ids[2] ?? '' }, { $set: { 'output.low': 0 } });
    await decisions.updateOne({ _id: ids[4] ?? '' }, { $set: { input: null } });
    await decisions.updateOne({ _id: ids[5] ?? '' }, { $set: { input: null } });
    const to = new Date(Date.now() + 1).toISOString();
    const variables = { version: 'demo.lead@7', from, to };
    const { data } = await prediction.ask(WINDOW, variables);
    expect(data.replayDecisions).toMatchObject({
      ...{ replayed: 10, identical: 9, isComplete: true, differing: [{ id: ids[2] }] },
      failed: [{ code: 'DECISION_NOT_REPLAYABLE', count: 2 }],
    });
    const part = await prediction.ask(WINDOW, { ...variables, first: 3 });
    expect(part.data.replayDecisions).toMatchObject({ replayed: 3, identical: 2, isComplete: false });
    const foreign = await prediction.ask(WINDOW, variables, anIdentity({ tenantId: 'other' }));
    expect(foreign.data.replayDecisions).toMatchObject({ replayed: 0, isComplete: true });
  });

  it('has bounds that aliases cannot pass, and scopes', async () => {
    const ids = await decide();
    const rows = Array.from({ length: 101 }, (_, i) => ({
      ...{ _id: `dec_${i}`, tenantId: 'demo', kind: 'lead', subject: customer, customerId: customer },
      ...{ at: new Date(i), modelVersion: 'heuristic.engagement@1', rung: 'HEURISTIC', fallbackReason: 'x' },
      ...{ input: {}, inputHash: '', output: {}, propensity: null },
    }));
    await prediction.db.collection<{ _id: string }>('decisions').insertMany(rows);
    const fields = rows.map(({ _id }, i) => `d${i}: decision(id: "${_id}") { replay { identical } }`);
    const tooMany = await prediction.ask(`{ ${fields.join(' ')} }`);
    expect(tooMany.errors?.[0]).toMatchObject({ extensions: { code: 'BATCH_TOO_LARGE' } });
    expect((await prediction.ask(`{ ${fields.slice(1).join(' ')} }`)).errors).toBeUndefined();
    const [at, later] = ['1970-01-01T00:00:00Z', '1970-01-02T00:00:00Z'];
    const window = `replayDecisions(modelVersion: "heuristic.engagement@1", from: "${at}", to: "${later}", first: 6000)`;
    const { data, errors } = await prediction.ask(`{ a: ${window} { replayed } b: ${window} { replayed } }`);
    expect([data.a, data.b, errors?.[0]?.extensions.code]).toEqual([
      { replayed: 101 },
      null,
      'BATCH_TOO_LARGE',
    ]);
    const web = anIdentity({ roles: ['web'], scopes: [...ROLE_SCOPES.web, 'lead:read'] });
    const refused = await prediction.ask(
      `{ decision(id: "${ids[0]}") { id replay { identical } } }`,
      {},
      web,
    );
    expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const noLeads = anIdentity({ scopes: ['decision:read', 'model:read'] });
    const hidden = await prediction.ask(`{ ${window} { replayed } }`, {}, noLeads);
    expect(hidden.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });
});
