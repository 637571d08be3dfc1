import { describe, expect, inject, it } from 'vitest';
import { ask, askOk } from '../support/graph.js';
import {
  type LeadAnswer,
  Q1,
  Q3,
  Q4,
  type QuoteAnswer,
  type RecommendationAnswer,
} from '../support/operations.js';

const { access, output } = inject('sextant');
const { graphql, tokens } = access;

interface Scored {
  leadScore: {
    probability: number;
    basis: string;
    servedBy: { rung: string };
    explanation: { residual: number } | null;
  };
}

interface Customers {
  customers: { nodes: { id: string; events: { nodes: { type: string }[] } }[] };
}

async function customersWith(type: string, count: number): Promise<string[]> {
  const { customers } = await askOk<Customers>(
    graphql,
    tokens.operator,
    `query ($types: [String!]) { customers(first: 100) { nodes { id events(types: $types, first: 1) { nodes { type } } } } }`,
    { types: [type] },
  );
  const found = customers.nodes.filter(({ events }) => events.nodes.length > 0).map(({ id }) => id);
  if (found.length < count) throw new Error(`only ${found.length} of 100 customers have ${type} events`);
  return found.slice(0, count);
}

async function productIds(count: number): Promise<string[]> {
  const { products } = await askOk<{ products: { nodes: { id: string }[] } }>(
    graphql,
    tokens.web,
    'query ($n: Int) { products(first: $n) { nodes { id } } }',
    { n: count },
  );
  return products.nodes.map(({ id }) => id);
}

describe('a newcomer with the printed tokens', () => {
  it('asks what to recommend and gets ranked products from the model, with titles and prices of another subgraph', async () => {
    for (const id of await customersWith('order', 5)) {
      const { customer } = await askOk<RecommendationAnswer>(graphql, tokens.web, Q1, { id });
      const set = customer?.recommendations;
      expect(set?.servedBy).toMatchObject({ rung: 'MODEL', fallbackReason: null });
      expect(set?.items.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      expect(new Set(set?.items.map(({ product }) => product?.id)).size).toBe(10);
      for (const item of set?.items ?? []) {
        expect(item.product?.title).toEqual(expect.any(String));
        expect(item.product?.listPrice).toEqual({
          amount: expect.stringMatching(/^\d+\.\d\d$/),
          currency: 'EUR',
        });
        expect(item.reason).not.toBe('');
      }
      expect(set?.explanation?.sentence).not.toBe('');
    }
  });

  it('asks what to charge and gets a price within its guardrails, from the model', async () => {
    const ids = await productIds(20);
    const { priceQuotes } = await askOk<QuoteAnswer>(graphql, tokens.web, Q3, { ids });
    expect(priceQuotes.map(({ product }) => product?.id)).toEqual(ids);
    for (const quote of priceQuotes) {
      expect(quote.servedBy).toMatchObject({ rung: 'MODEL', fallbackReason: null });
      const share = Number(quote.price.amount) / Number(quote.listPrice.amount);
      expect(share).toBeGreaterThan(0.5);
      expect(share).toBeLessThanOrEqual(1.11);
      expect(quote.product?.lowestPrice30d.amount).toMatch(/^\d+\.\d\d$/);
      expect(Date.parse(quote.validUntil)).toBeGreaterThan(Date.now());
      expect(quote).toMatchObject({ personalDataUsed: false, token: expect.any(String) });
    }
  });

  it('asks how hot leads are and gets probabilities whose explanation adds up to them', async () => {
    const ids = await customersWith('lead_submitted', 3);
    const { scoreLeads } = await askOk<LeadAnswer>(graphql, tokens.marketer, Q4, { ids });
    expect(scoreLeads).toHaveLength(ids.length);
    for (const score of scoreLeads) {
      expect(score.servedBy).toMatchObject({ rung: 'MODEL', fallbackReason: null });
      expect(score.interval.low).toBeLessThanOrEqual(score.probability);
      expect(score.interval.high).toBeGreaterThanOrEqual(score.probability);
      const { baseValue, residual, contributions } = score.explanation ?? {
        baseValue: NaN,
        residual: NaN,
        contributions: [],
      };
      const logOdds = contributions.reduce(
        (sum, { contribution }) => sum + contribution,
        baseValue + residual,
      );
      expect(1 / (1 + Math.exp(-logOdds))).toBeCloseTo(score.probability, 5);
    }
  });

  it('asks about people who never filled in a form, and gets a sober answer with its reasons', async () => {
    const { customers } = await askOk<{ customers: { nodes: Scored[] } }>(
      graphql,
      tokens.marketer,
      '{ customers(first: 100) { nodes { leadScore(budgetMs: 4000) { probability basis servedBy { rung } explanation(top: 3) { residual } } } } }',
    );
    const behaviour = customers.nodes
      .map(({ leadScore }) => leadScore)
      .filter(({ basis }) => basis === 'BEHAVIOUR');
    expect(behaviour.length).toBeGreaterThan(10);
    for (const { probability, explanation, servedBy } of behaviour) {
      expect(servedBy.rung).toBe('MODEL');
      expect(probability).toBeLessThan(0.95);
      expect(explanation?.residual).toEqual(expect.any(Number));
    }
  });

  it('looks up what was decided, and on what', async () => {
    const [id] = await customersWith('order', 1);
    const { customer } = await askOk<RecommendationAnswer>(graphql, tokens.web, Q1, { id });
    const set = customer?.recommendations;
    const { decision } = await askOk<{
      decision: {
        kind: string;
        subject: string;
        modelVersion: string;
        rung: string;
        output: unknown;
        featureHash: string;
      };
    }>(
      graphql,
      tokens.analyst,
      'query ($id: ID!) { decision(id: $id) { kind subject modelVersion rung output featureHash } }',
      { id: set?.decisionId },
    );
    expect(decision).toMatchObject({ kind: 'recommend', subject: id, rung: 'MODEL' });
    expect(decision.modelVersion).toMatch(/^demo\.recommend@\d+$/);
    expect(decision.featureHash).toMatch(/^[0-9a-f]{64}$/);
    for (const item of set?.items ?? []) expect(JSON.stringify(decision.output)).toContain(item.product?.id);
  });

  it('pastes the printed sample queries and they work', async () => {
    const samples = [...output.matchAll(/^curl -s (\S+) .*Bearer ([^']+)' -d '(.*)'$/gm)];
    expect(samples).toHaveLength(3);
    for (const [, url = '', token = '', body = ''] of samples) {
      const { query } = JSON.parse(body.replaceAll(`'\\''`, "'")) as { query: string };
      const answer = await ask(url, token, query);
      expect(answer.errors).toEqual([]);
      expect(JSON.stringify(answer.data)).toContain('"rung":"MODEL"');
    }
  });
});
