import { ROLE_SCOPES } from '@sextant/domain';
import { TrainingJobs } from '@sextant/model-registry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { quoteKey, verifyQuote } from './pricing/quote-token.js';
import {
  anIdentity,
  aPrediction,
  leadForm,
  type Prediction,
  SECRET,
  until,
  viewed,
} from './testing/prediction.fixture.js';

const ENTITIES = (selection: string): string =>
  `query ($ids: [_Any!]!) { _entities(representations: $ids) { ... on Customer { ${selection} } } }`;
const representations = (ids: readonly string[]) => ({
  ids: ids.map((id) => ({ __typename: 'Customer', id })),
});
const DECISION =
  'decisionId decidedAt model { id stage trainedAt } servedBy { device rung queueMs computeMs batchSize fallbackReason }';

describe('prediction subgraph', () => {
  let prediction: Prediction;
  let customers: string[];
  beforeAll(async () => {
    prediction = await aPrediction();
    for (let i = 1; i <= 30; i++) prediction.catalogue.list(`p${i}`, `${i}0.00`, `${i}.00`);
    customers = await prediction.customers(
      Array.from({ length: 50 }, (_, i) => [viewed(`p${(i % 5) + 1}`), leadForm(100 * (i + 1))]),
    );
  });
  afterAll(() => prediction.stop());
  beforeEach(() => {
    prediction.worker.calls.length = 0;
    prediction.worker.requests.length = 0;
  });

  it('answers 50 customers, their slates, prices and scores with one call to the worker of each kind', async () => {
    const selection = `recommendations(slot: "home", first: 3) { items { product { id price { price { amount } servedBy { rung } } } } }
      again: recommendations(slot: "home", first: 3) { decisionId } leadScore { probability } explained: leadScore { explanation { method } }`;
    const { data, errors } = await prediction.ask(ENTITIES(selection), representations(customers));
    expect(errors).toBeUndefined();
    expect(data._entities).toHaveLength(50);
    const products = data._entities[49].recommendations.items.map(
      ({ product }: { product: { id: string } }) => product.id,
    );
    expect(products).toEqual(['p1', 'p2', 'p3']);
    expect(data._entities[0].recommendations.items[0].product.price.servedBy.rung).toBe('MODEL');
    expect(data._entities[49].leadScore.probability).toBeCloseTo(0.5, 12);
    expect(prediction.worker.calls.toSorted()).toEqual(['QuotePrices', 'Recommend', 'ScoreLeads']);
    const rows = prediction.worker.requests.map(
      (request) => (request as { rows: unknown[] | { rows: number } }).rows,
    );
    expect(rows.map((r) => (Array.isArray(r) ? r.length : r.rows)).toSorted((a, b) => a - b)).toEqual([
      4, 50, 50,
    ]);
  });

  it('ranks 1..n, says why only when asked, and explains a slate exactly', async () => {
    const silent = await prediction.ask(
      ENTITIES('recommendations(slot: "home") { items { rank score } }'),
      representations([customers[0] ?? '']),
    );
    expect(silent.data._entities[0].recommendations.items.map((item: { rank: number }) => item.rank)).toEqual(
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    expect(prediction.worker.requests[0]).toMatchObject({ reasonsPerItem: 0, model: 'demo.recommend' });
    const q1 = `recommendations(slot: "home", first: 2, budgetMs: 2000) { ${DECISION}
      items { rank score propensity reason becauseOf { id } product { id } }
      explanation(top: 3) { sentence baseValue residual method contributions { feature value contribution } } }`;
    const { data } = await prediction.ask(ENTITIES(q1), representations([customers[0] ?? '']));
    const set = data._entities[0].recommendations;
    expect(set.items[0]).toEqual({
      ...{ rank: 1, score: 1, propensity: 1, reason: 'Goes with p1' },
      ...{ becauseOf: { id: 'p1' }, product: { id: 'p2' } },
    });
    expect(set.explanation.contributions).toEqual([{ feature: 'history.p1', value: null, contribution: 1 }]);
    expect(set.explanation.baseValue + 1 + set.explanation.residual).toBeCloseTo(1.99, 12);
    expect(set.servedBy).toEqual({
      device: 'CPU',
      rung: 'MODEL',
      queueMs: 0.5,
      computeMs: 1.5,
      batchSize: 3,
      fallbackReason: null,
    });
    expect(set.model).toEqual({
      id: 'demo.recommend@7',
      stage: 'LIVE',
      trainedAt: '2026-02-01T00:00:00.000Z',
    });
  });

  it('recommends to a session from what it viewed', async () => {
    const q2 = `query Q2($s: SessionInput!) { sessionRecommendations(session: $s, slot: "pdp", first: 6, budgetMs: 2000) {
      decisionId items { product { id } rank propensity reason } } }`;
    const { data, errors } = await prediction.ask(q2, {
      s: { anonymousRef: 's1', viewed: ['p2', 'p9', 'p2'] },
    });
    expect(errors).toBeUndefined();
    expect(prediction.worker.requests[0]).toMatchObject({ rows: [{ history: ['p9', 'p2'], first: 6 }] });
    expect(data.sessionRecommendations.items[0]).toEqual({
      product: { id: 'p1' },
      rank: 1,
      propensity: 1,
      reason: 'Goes with p2',
    });
  });

  it('ranks a session by its own model without what is looked at, and by that of customers where there is none', async () => {
    const q2 = `query ($s: SessionInput!) { sessionRecommendations(session: $s, slot: "pdp", first: 2) {
      model { id } servedBy { rung } items { product { id } } } }`;
    const session = { s: { anonymousRef: 's2', viewed: ['p3', 'p4'] } };
    const own = await prediction.ask(q2, session);
    expect(own.data.sessionRecommendations.model.id).toBe('demo.session@7');
    expect(prediction.worker.requests[0]).toMatchObject({
      rows: [{ history: ['p3', 'p4'], exclude: ['p4'] }],
    });
    prediction.worker.missing.add('demo.session');
    const other = await prediction.ask(q2, session);
    prediction.worker.missing.clear();
    expect(other.data.sessionRecommendations).toMatchObject({
      model: { id: 'demo.recommend@7' },
      servedBy: { rung: 'MODEL' },
    });
  });

  it('quotes prices with a token that proves them, reading the catalogue as a service of the tenant', async () => {
    const q3 = `query Q3($ids: [ID!]!, $c: ID) { priceQuotes(productIds: $ids, customerId: $c, region: "US-NY", quantity: 2) {
      ${DECISION} token price { amount currency } listPrice { amount currency } validUntil guardrails { rule bound before after }
      personalDataUsed disclosure product { id } expectedUnits { value low high level } expectedMargin { value } } }`;
    const { data, errors } = await prediction.ask(q3, { ids: ['p3', 'nothing', 'p3'], c: customers[0] });
    expect(errors).toMatchObject([{ path: ['priceQuotes', 1], extensions: { code: 'PRODUCT_NOT_FOUND' } }]);
    const [quote, missing, same] = data.priceQuotes;
    expect(missing).toBeNull();
    expect(same.decisionId).toBe(quote.decisionId);
    expect(quote).toMatchObject({
      ...{ price: { amount: '27.00', currency: 'EUR' }, listPrice: { amount: '30.00', currency: 'EUR' } },
      ...{ personalDataUsed: false, disclosure: null, product: { id: 'p3' } },
      guardrails: [{ rule: 'floor', bound: false, before: '27.00', after: '27.00' }],
      expectedUnits: { value: 4, low: 2, high: 8, level: 0.8 },
      expectedMargin: { value: 40 },
    });
    const statement = verifyQuote(quote.token, quoteKey(SECRET), { tenantId: 'demo', now: new Date() });
    expect(statement).toMatchObject({
      productId: 'p3',
      priceMinor: 2700,
      currency: 'EUR',
      quantity: 2,
      decisionId: quote.decisionId,
    });
    const CHECKOUT = `query ($token: String!) { verifyQuote(token: $token) { refusal quote {
      product { id } price { amount currency } quantity validUntil decisionId } } }`;
    const checkout = async (token: string, as = anIdentity()) =>
      (await prediction.ask(CHECKOUT, { token }, as)).data.verifyQuote;
    expect(await checkout(quote.token)).toEqual({
      refusal: null,
      quote: {
        ...{ product: { id: 'p3' }, price: { amount: '27.00', currency: 'EUR' }, quantity: 2 },
        ...{ validUntil: quote.validUntil, decisionId: quote.decisionId },
      },
    });
    const forged = { refusal: 'FORGED', quote: null };
    expect(await checkout(`${quote.token.slice(0, -1)}x`)).toEqual(forged);
    expect(await checkout('')).toEqual(forged);
    expect(await checkout(quote.token, anIdentity({ tenantId: 'other' }))).toEqual(forged);
    expect(Date.parse(quote.validUntil) - Date.parse(quote.decidedAt)).toBe(15 * 60_000);
    expect(prediction.worker.requests[0]).toMatchObject({
      rows: [
        {
          product: 'p3',
          listPriceMinor: 3000,
          costMinor: 300,
          floorMinor: 2100,
          ceilingMinor: 3300,
          rounding: 'x.99',
          quantity: 2,
          stock: 5,
        },
      ],
    });
    expect(prediction.catalogue.callers.at(-1)).toMatchObject({
      tenantId: 'demo',
      scopes: ['catalogue:read', 'campaign:read'],
    });
  });

  it('tells the worker what is sold out from what is not counted', async () => {
    prediction.catalogue.list('sold-out', '10.00', '4.00', 0);
    prediction.catalogue.list('uncounted', '10.00', '4.00', null);
    const query = '{ priceQuotes(productIds: ["sold-out", "uncounted"]) { servedBy { rung } } }';
    const { errors } = await prediction.ask(query);
    expect(errors).toBeUndefined();
    const { rows } = prediction.worker.requests.at(-1) as { rows: { product: string; stock?: number }[] };
    expect(rows.find(({ product }) => product === 'sold-out')?.stock).toBe(0);
    expect(rows.find(({ product }) => product === 'uncounted')?.stock).toBeUndefined();
  });

  it('scores leads with interval, band, playbook and an explanation that adds up', async () => {
    const q4 = `query Q4($ids: [ID!]!) { scoreLeads(customerIds: $ids) { ${DECISION} probability interval { value low high level } band percentile basis
      playbook { action owner dueWithin } explanation(top: 1) { baseValue residual contributions { feature value contribution } } } }`;
    const { data, errors } = await prediction.ask(q4, { ids: [customers[49], 'cus_unknown', customers[0]] });
    expect(errors).toMatchObject([{ path: ['scoreLeads', 1], extensions: { code: 'CUSTOMER_NOT_FOUND' } }]);
    const [hot, unknown, cold] = data.scoreLeads;
    expect([unknown, cold.band, cold.playbook]).toEqual([null, 'COLD', null]);
    expect(hot).toMatchObject({
      probability: 0.5,
      interval: { value: 0.5, low: 0.25, high: 1, level: 0.9 },
      band: 'HOT',
      percentile: 50,
      basis: 'FORM',
    });
    expect(hot.playbook.dueWithin).toBe('PT4H');
    const { baseValue, residual, contributions } = hot.explanation;
    expect(contributions).toEqual([{ feature: 'form.industry', value: 'steel', contribution: -0.75 }]);
    expect(baseValue + residual + contributions[0].contribution).toBeCloseTo(-1.375, 12);
  });

  it('keeps each decision with what it was decided on, for its tenant and the scope of its kind', async () => {
    const { data } = await prediction.ask(
      ENTITIES('leadScore { decisionId }'),
      representations([customers[9] ?? '']),
    );
    const id = data._entities[0].leadScore.decisionId as string;
    expect(id).toMatch(/^dec_[0-9a-f]{32}$/);
    const query =
      'query ($id: ID!) { decision(id: $id) { id kind subject at modelVersion rung featureHash output propensity } }';
    const waiting = await prediction.ask(query, { id });
    expect(waiting.data.decision).toMatchObject({
      id,
      kind: 'lead',
      subject: customers[9],
      modelVersion: 'demo.lead@7',
      rung: 'MODEL',
    });
    expect(waiting.data.decision.output).toMatchObject({ probability: 0.1, band: 'WARM' });
    const stored = await until(
      () => prediction.db.collection<{ _id: string }>('decisions').findOne({ _id: id }),
      (row) => row !== null,
      2_000,
    );
    expect(stored).toMatchObject({
      tenantId: 'demo',
      input: expect.stringContaining('"form.budget":1000,"form.industry":"steel"'),
      inputHash: waiting.data.decision.featureHash,
    });
    expect((await prediction.ask(query, { id })).data.decision).toEqual(waiting.data.decision);
    expect((await prediction.ask(query, { id }, anIdentity({ tenantId: 'other' }))).data.decision).toBeNull();
    const web = anIdentity({ scopes: ROLE_SCOPES.web });
    expect((await prediction.ask(query, { id }, web)).data.decision).toBeNull();
    const listed = await prediction.ask(
      ENTITIES('decisions(first: 5) { id kind }'),
      representations([customers[9] ?? '']),
    );
    expect(listed.data._entities[0].decisions[0]).toEqual({ id, kind: 'lead' });
    const forWeb = await prediction.ask(
      ENTITIES('decisions { kind }'),
      representations([customers[9] ?? '']),
      web,
    );
    expect(
      forWeb.data._entities[0].decisions.every(({ kind }: { kind: string }) => kind === 'recommend'),
    ).toBe(true);
  });

  it('gives another tenant nothing but a code', async () => {
    const selection =
      'recommendations(slot: "home") { decisionId } leadScore { probability } decisions { id }';
    const { data, errors } = await prediction.ask(
      ENTITIES(selection),
      representations([customers[0] ?? '']),
      anIdentity({ tenantId: 'other' }),
    );
    expect(data._entities[0]).toEqual({ recommendations: null, leadScore: null, decisions: null });
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['CUSTOMER_NOT_FOUND']),
    );
    expect(prediction.worker.calls).toEqual([]);
  });

  it('refuses unsigned requests, and fields without their scope', async () => {
    const unsigned = await fetch(prediction.subgraph.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ scoreLeads(customerIds: []) { probability } }' }),
    });
    expect(unsigned.status).toBe(401);
    const partner = anIdentity({ scopes: ROLE_SCOPES.partner });
    const selection = 'recommendations(slot: "home") { decisionId } leadScore { probability }';
    const { data, errors } = await prediction.ask(
      ENTITIES(selection),
      representations([customers[0] ?? '']),
      partner,
    );
    expect(data._entities[0].leadScore).toBeNull();
    expect(data._entities[0].recommendations.decisionId).toMatch(/^dec_/);
    expect(errors).toMatchObject([
      { extensions: { code: 'FORBIDDEN' }, path: ['_entities', 0, 'leadScore'] },
    ]);
    const training = await prediction.ask(
      'mutation { trainModel(input: { task: "lead" }) { id } }',
      {},
      partner,
    );
    expect(training).toMatchObject({
      data: { trainModel: null },
      errors: [{ extensions: { code: 'FORBIDDEN' } }],
    });
    const margin = await prediction.ask(
      '{ priceQuotes(productIds: ["p1"]) { expectedMargin { value } price { amount } } }',
      {},
      anIdentity({ scopes: ROLE_SCOPES.web }),
    );
    expect(margin.data.priceQuotes[0]).toEqual({ expectedMargin: null, price: { amount: '9.00' } });
  });

  it.each([
    [
      '{ sessionRecommendations(session: { anonymousRef: "s", viewed: [] }, slot: "", first: 1) { decisionId } }',
      'INVALID_INPUT',
    ],
    [
      '{ sessionRecommendations(session: { anonymousRef: "s", viewed: [] }, slot: "a", first: 101) { decisionId } }',
      'INVALID_INPUT',
    ],
    [
      '{ sessionRecommendations(session: { anonymousRef: "s", viewed: [] }, slot: "a", budgetMs: 4) { decisionId } }',
      'INVALID_INPUT',
    ],
    ['{ priceQuotes(productIds: ["p1"], quantity: 0) { token } }', 'INVALID_INPUT'],
    [`{ scoreLeads(customerIds: [${'"x",'.repeat(501)}]) { probability } }`, 'BATCH_TOO_LARGE'],
    ['mutation { trainModel(input: { task: "weather" }) { id } }', 'INVALID_INPUT'],
    ['{ scoreLeads(customerIds: ["x"]) { explanation(top: 0) { method } } }', 'CUSTOMER_NOT_FOUND'],
  ])('answers %s with %s', async (query, code) => {
    expect((await prediction.ask(query)).errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
    expect(prediction.worker.calls).toEqual([]);
  });

  it('queues a training job once for one key, and shows its progress to its tenant', async () => {
    const train =
      'mutation ($t: TrainInput!) { trainModel(input: $t) { id task state progress etaSeconds modelVersion { id } log } }';
    const input = { task: 'lead', notes: 'monthly', idempotencyKey: 'march' };
    const first = await prediction.ask(train, { t: input });
    const second = await prediction.ask(train, { t: input });
    expect(first.data.trainModel).toMatchObject({
      task: 'lead',
      state: 'QUEUED',
      progress: 0,
      modelVersion: null,
      log: [],
    });
    expect(second.data.trainModel.id).toBe(first.data.trainModel.id);
    const conflict = await prediction.ask(train, { t: { ...input, task: 'price' } });
    expect(conflict.errors?.[0]?.extensions.code).toBe('IDEMPOTENCY_CONFLICT');
    const jobs = new TrainingJobs(prediction.db);
    const claimed = await jobs.claim();
    if (!claimed) throw new Error('there was nothing to claim');
    await jobs.report(claimed.lease, { progress: 0.4, step: 'fit', log: ['fitting'] });
    const query =
      'query ($id: ID!) { trainingJob(id: $id) { state progress step log } model(id: "lead") { id live { id } versions { id } } }';
    const { id } = first.data.trainModel;
    const running = await prediction.ask(query, { id });
    expect(running.data).toEqual({
      trainingJob: { state: 'RUNNING', progress: 0.4, step: 'fit', log: ['fitting'] },
      model: { id: 'lead', live: null, versions: [] },
    });
    expect(
      (await prediction.ask(query, { id }, anIdentity({ tenantId: 'other' }))).data.trainingJob,
    ).toBeNull();
  });

  it('tells operators what it did', async () => {
    await prediction.ask('{ priceQuotes(productIds: ["p1"]) { token } }');
    const metrics = await prediction.metrics();
    expect(metrics).toMatch(/sextant_decisions_total\{kind="price",rung="MODEL",reason="none"\} \d+/);
    expect(metrics).toMatch(/sextant_inference_call_seconds_count\{rpc="QuotePrices",outcome="ok"\} \d+/);
    expect(metrics).toContain('sextant_inference_breaker_state{state="closed"} 1');
    expect(metrics).toContain('sextant_inference_endpoints{state="ready"} 1');
    expect(metrics).toMatch(/sextant_inference_attempts_total\{kind="first",status="OK"\} \d+/);
    expect(metrics).toContain('sextant_inference_hedges_won_total 0');
    expect(metrics).toContain('sextant_decision_log_dropped_total 0');
  });
});
