import { DomainError } from '@sextant/domain';
import { startMongoServer } from '@sextant/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answer,
  aPrediction,
  leadForm,
  type Prediction,
  until,
  viewed,
} from './testing/prediction.fixture.js';

const PAGE = `query ($id: ID!, $ids: [ID!]!, $budgetMs: Int) {
  _entities(representations: [{ __typename: "Customer", id: $id }]) { ... on Customer {
    recommendations(slot: "home", first: 3, budgetMs: $budgetMs) { decisionId model { id trainedAt } servedBy { device rung fallbackReason batchSize } items { rank product { id } reason } explanation { method } }
    leadScore(budgetMs: $budgetMs) { probability interval { low high } model { id } servedBy { rung fallbackReason } explanation { method } } } }
  priceQuotes(productIds: $ids, budgetMs: $budgetMs) { price { amount } guardrails { rule bound } model { id } servedBy { rung fallbackReason } expectedUnits { value } } }`;

interface Served {
  rungs: string[];
  reasons: (string | null)[];
}

function served({ data }: Answer): Served {
  const [customer] = data._entities;
  const all = [customer.recommendations, customer.leadScore, ...data.priceQuotes];
  return { rungs: all.map((d) => d.servedBy.rung), reasons: all.map((d) => d.servedBy.fallbackReason) };
}

describe('the ladder while the worker is away', () => {
  let prediction: Prediction;
  let ids: string[];
  const page = (n: number, budgetMs = 2_000, products = ['p1']) =>
    prediction.ask(PAGE, { id: ids[n], ids: products, budgetMs });
  beforeAll(async () => {
    prediction = await aPrediction();
    prediction.catalogue.list('p1', '10.00', '2.00');
    prediction.catalogue.list('p2', '10.00', '9.90');
    prediction.catalogue.list('thin', '10.00', '10.60');
    ids = await prediction.customers([
      [viewed('p7'), viewed('p8'), leadForm(1000)],
      [
        viewed('p8'),
        { ...viewed('p6'), type: 'interaction', properties: { productId: 'p6', relevant: false } },
      ],
      [viewed('p8'), viewed('p7')],
    ]);
  });
  afterAll(() => prediction.stop());
  beforeEach(async () => {
    prediction.worker.delayMs = 0;
    prediction.worker.refusal = null;
    prediction.worker.explanationRefused = '';
    await until(
      () => page(0),
      (answer) => served(answer).rungs.every((rung) => rung === 'MODEL'),
      5_000,
    );
  });

  it('answers by the model without an explanation, and says why, where the worker cannot make one', async () => {
    prediction.worker.explanationRefused = 'QUEUE_FULL';
    const answer = await page(0);
    expect(answer.errors).toBeUndefined();
    expect(answer.data._entities[0].leadScore).toMatchObject({
      probability: 0.1,
      explanation: null,
      servedBy: { rung: 'MODEL', fallbackReason: 'QUEUE_FULL' },
    });
  });

  it('answers from the cache what it answered before, and from rules what it did not, without an error', async () => {
    const before = await page(0);
    prediction.worker.die();
    try {
      const known = await page(0);
      expect(known.errors).toBeUndefined();
      expect(served(known)).toEqual({
        rungs: ['CACHE', 'CACHE', 'CACHE'],
        reasons: Array(3).fill('INFERENCE_UNAVAILABLE'),
      });
      const [then, now] = [before, known].map(({ data }) => data._entities[0].recommendations);
      expect(now.items).toMatchObject(
        then.items.map(({ rank, product }: { rank: number; product: object }) => ({ rank, product })),
      );
      expect(now.decisionId).not.toBe(then.decisionId);
      expect(now).toMatchObject({
        model: then.model,
        explanation: null,
        servedBy: { device: 'NONE', batchSize: 0 },
      });
      expect(known.data.priceQuotes[0]).toMatchObject({ price: { amount: '9.00' }, expectedUnits: null });

      const fresh = await page(1, 2_000, ['p2']);
      expect(fresh.errors).toBeUndefined();
      expect(served(fresh).rungs).toEqual(['HEURISTIC', 'HEURISTIC', 'HEURISTIC']);
      const { recommendations, leadScore } = fresh.data._entities[0];
      expect(recommendations.model).toEqual({ id: 'heuristic.popularity@1', trainedAt: null });
      expect(recommendations.items).toEqual([
        { rank: 1, product: { id: 'p8' }, reason: 'Popular at the moment' },
        { rank: 2, product: { id: 'p7' }, reason: 'Popular at the moment' },
      ]);
      expect(leadScore.interval.low).toBeLessThan(leadScore.probability);
      expect(leadScore.interval.high).toBeGreaterThan(leadScore.probability);
      expect(fresh.data.priceQuotes[0]).toMatchObject({
        price: { amount: '10.40' },
        model: { id: 'heuristic.list-price@1' },
      });
      expect(fresh.data.priceQuotes[0].guardrails).toEqual([
        { rule: 'floor', bound: true },
        { rule: 'ceiling', bound: false },
      ]);
    } finally {
      await prediction.worker.start();
    }
  });

  it('spends no budget on a dead worker, and is back at MODEL within 2 s of its return', async () => {
    prediction.worker.die();
    for (let i = 0; i < 4; i++) await page(0);
    const started = performance.now();
    for (let i = 0; i < 10; i++) expect(served(await page(0)).rungs).toEqual(['CACHE', 'CACHE', 'CACHE']);
    expect((performance.now() - started) / 10).toBeLessThan(200);
    expect(await prediction.metrics()).toMatch(/breaker_state\{state="(open|half-open)"\} 1/);
    await prediction.worker.start();
    await until(
      () => page(0),
      (answer) => served(answer).rungs.every((rung) => rung === 'MODEL'),
      2_000,
    );
    expect(await prediction.metrics()).toContain('breaker_state{state="closed"} 1');
  });

  it('leaves a worker that is too slow at the end of the budget', async () => {
    prediction.worker.delayMs = 1_500;
    const started = performance.now();
    const answer = await page(0, 60);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(answer.errors).toBeUndefined();
    expect(served(answer).reasons).toEqual(Array(3).fill('INFERENCE_DEADLINE_EXCEEDED'));
  });

  it('does not let hasty callers close the way for others', async () => {
    prediction.worker.delayMs = 60;
    for (let i = 0; i < 5; i++) await page(0, 20);
    expect(served(await page(0)).rungs).toEqual(['MODEL', 'MODEL', 'MODEL']);
  });

  it.each(['MODEL_NOT_FOUND', 'QUEUE_FULL', 'FEATURE_VECTOR_MISMATCH'] as const)(
    'names %s as the reason of a fall',
    async (code) => {
      prediction.worker.refusal = new DomainError(code, 'refused');
      for (let i = 0; i < 5; i++) {
        const answer = await page(2, 2_000, ['p2']);
        expect(answer.errors).toBeUndefined();
        expect(served(answer).reasons).toEqual([code, code, code]);
      }
      prediction.worker.refusal = null;
      expect(served(await page(2)).rungs).toEqual(['MODEL', 'MODEL', 'MODEL']);
    },
  );

  it('lets the list price stand where floor and ceiling contradict each other, without spoiling its neighbours', async () => {
    const { data } = await prediction.ask(
      '{ priceQuotes(productIds: ["thin", "p1"]) { price { amount } guardrails { rule } servedBy { rung fallbackReason } } }',
    );
    expect(data.priceQuotes).toEqual([
      {
        price: { amount: '10.00' },
        guardrails: [{ rule: 'bounds-conflict' }],
        servedBy: { rung: 'HEURISTIC', fallbackReason: 'GUARDRAIL_CONFLICT' },
      },
      {
        price: { amount: '9.00' },
        guardrails: [{ rule: 'floor' }],
        servedBy: { rung: 'MODEL', fallbackReason: null },
      },
    ]);
  });

  it('quotes from known rows while the catalogue is away, and says so where it knows none', async () => {
    prediction.catalogue.isDown = true;
    try {
      const query = '{ priceQuotes(productIds: ["p1", "p9"]) { price { amount } } }';
      const { data, errors } = await prediction.ask(query);
      expect(data.priceQuotes).toEqual([{ price: { amount: '9.00' } }, null]);
      expect(errors).toMatchObject([
        { path: ['priceQuotes', 1], extensions: { code: 'CATALOGUE_UNAVAILABLE' } },
      ]);
    } finally {
      prediction.catalogue.isDown = false;
    }
  });
});

describe('the ladder while the store is away', () => {
  it('answers from the cache, else with STORE_UNAVAILABLE in time, and keeps the decisions for later', async () => {
    const mongo = await startMongoServer();
    const prediction = await aPrediction({
      mongo: { uri: mongo.uri.replace('/?', '/sextant?'), stop: () => mongo.stop() },
    });
    try {
      const [asked, unasked] = await prediction.customers([[viewed('p1')], [viewed('p2')]]);
      const query =
        'query ($id: ID!) { _entities(representations: [{ __typename: "Customer", id: $id }]) { ... on Customer { recommendations(slot: "home") { decisionId servedBy { rung fallbackReason } } } } }';
      expect(
        (await prediction.ask(query, { id: asked })).data._entities[0].recommendations.servedBy.rung,
      ).toBe('MODEL');
      process.kill(mongo.pid, 'SIGKILL');
      const started = performance.now();
      const [cached, failed] = await Promise.all([asked, unasked].map((id) => prediction.ask(query, { id })));
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(cached?.data._entities[0].recommendations.servedBy).toMatchObject({
        rung: 'CACHE',
        fallbackReason: expect.stringMatching(/^STORE_/),
      });
      expect(failed?.data._entities[0].recommendations).toBeNull();
      expect(failed?.errors?.[0]?.extensions.code).toMatch(/^STORE_(UNAVAILABLE|DEADLINE_EXCEEDED)$/);
      const id = cached?.data._entities[0].recommendations.decisionId;
      const looked = await prediction.ask('query ($id: ID!) { decision(id: $id) { rung } }', { id });
      expect(looked.data.decision).toEqual({ rung: 'CACHE' });
    } finally {
      await prediction.stop();
    }
  });
});

describe('a process that is told to stop', () => {
  it('has stored every decision that it gave before it ends', async () => {
    const prediction = await aPrediction();
    try {
      const ids = await prediction.customers([[leadForm(100)], [leadForm(200)]]);
      await prediction.ask('query ($ids: [ID!]!) { scoreLeads(customerIds: $ids) { decisionId } }', { ids });
      await prediction.stopSubgraph();
      expect(
        await prediction.db
          .collection('decisions')
          .countDocuments({ tenantId: 'demo', subject: { $in: ids } }),
      ).toBe(2);
    } finally {
      await prediction.stop();
    }
  });
});
