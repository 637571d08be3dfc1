import { beforeAll, describe, expect, inject, it } from 'vitest';
import { ask, askOk } from '../support/graph.js';

const { access } = inject('sextant');
const { graphql, tokens } = access;

interface Decided {
  servedBy: { rung: string; fallbackReason: string | null };
}
interface Score extends Decided {
  probability: number;
  band: string;
  basis: string;
  interval: { low: number; high: number };
  explanation: { sentence: string } | null;
}
interface Page {
  id: string;
  lifecycle: string;
  churnRisk: Score;
  purchaseLikelihood: Score;
  lifetimeValue:
    | (Decided & {
        value: { amount: string; currency: string };
        interval: { low: number; high: number };
        probabilityAlive: number;
        expectedPurchases: number;
      })
    | null;
  segments: { probability: number | null; segment: { id: string; name: string; kind: string } }[];
}

const SCORE =
  '{ probability band basis interval { low high } servedBy { rung fallbackReason } explanation { sentence } }';
const PAGE = `query ($ids: [ID!]!) { customersByIds(ids: $ids) { id lifecycle
  churnRisk(budgetMs: 4000) ${SCORE} purchaseLikelihood(budgetMs: 4000) ${SCORE}
  lifetimeValue(horizonDays: 365, budgetMs: 4000) { value { amount currency } interval { low high } probabilityAlive expectedPurchases servedBy { rung fallbackReason } }
  segments { probability segment { id name kind } } } }`;

async function buyers(count: number): Promise<string[]> {
  const { customers } = await askOk<{
    customers: { nodes: { id: string; events: { nodes: unknown[] } }[] };
  }>(
    graphql,
    tokens.operator,
    '{ customers(first: 100) { nodes { id events(types: ["order"], first: 1) { nodes { type } } } } }',
  );
  return customers.nodes
    .filter(({ events }) => events.nodes.length > 0)
    .map(({ id }) => id)
    .slice(0, count);
}

describe('everything the graph foretells of a customer', () => {
  let pages: Page[];
  beforeAll(async () => {
    const ids = await buyers(40);
    const answer = await askOk<{ customersByIds: Page[] }>(graphql, tokens.operator, PAGE, { ids });
    pages = answer.customersByIds;
    expect(pages.map(({ id }) => id)).toEqual(ids);
  });

  it('says how likely they are to leave and to buy, from the models, with interval, band and reason', () => {
    for (const score of pages.flatMap(({ churnRisk, purchaseLikelihood }) => [
      churnRisk,
      purchaseLikelihood,
    ])) {
      expect(score.servedBy).toEqual({ rung: 'MODEL', fallbackReason: null });
      expect(score.probability).toBeGreaterThan(0);
      expect(score.probability).toBeLessThan(1);
      expect(score.interval.low).toBeLessThanOrEqual(score.probability);
      expect(score.interval.high).toBeGreaterThanOrEqual(score.probability);
      expect(['LOW', 'MEDIUM', 'HIGH']).toContain(score.band);
      expect(score.explanation?.sentence).toMatch(/^Mostly because|^No single feature/);
    }
    const bandsOf = (field: 'churnRisk' | 'purchaseLikelihood') =>
      new Set(pages.map((page) => page[field].band));
    expect(bandsOf('churnRisk').size).toBeGreaterThan(1);
    expect(bandsOf('purchaseLikelihood').size).toBeGreaterThan(1);
  });

  it('says what they will be worth, from the model', () => {
    for (const { lifetimeValue } of pages) {
      expect(lifetimeValue?.servedBy).toEqual({ rung: 'MODEL', fallbackReason: null });
      expect(lifetimeValue?.value).toEqual({ amount: expect.stringMatching(/^\d+\.\d\d$/), currency: 'EUR' });
      expect(lifetimeValue?.interval.low).toBeLessThanOrEqual(Number(lifetimeValue?.value.amount));
      expect(lifetimeValue?.interval.high).toBeGreaterThanOrEqual(Number(lifetimeValue?.value.amount));
      expect(lifetimeValue?.probabilityAlive).toBeGreaterThanOrEqual(0);
      expect(lifetimeValue?.probabilityAlive).toBeLessThanOrEqual(1);
      expect(lifetimeValue?.expectedPurchases).toBeGreaterThanOrEqual(0);
    }
  });

  it('says which of the discovered segments they belong to', () => {
    const memberships = pages.flatMap(({ segments }) =>
      segments.filter(({ segment }) => segment.kind === 'CLUSTER'),
    );
    expect(memberships.length).toBeGreaterThan(pages.length / 2);
    expect(new Set(memberships.map(({ segment }) => segment.id)).size).toBeGreaterThan(1);
    for (const { probability, segment } of memberships) {
      expect(probability).toBeGreaterThan(0);
      expect(segment.name).not.toBe('');
    }
  });

  it('says what to do about them, or why nothing, from the model of effects', async () => {
    interface Action extends Decided {
      action: string;
      uplift: { value: number; low: number; high: number };
      expectedNet: { amount: string };
      segment: string | null;
      alternatives: { action: string }[];
      suppressed: { action: string; because: string }[];
    }
    const { customersByIds } = await askOk<{ customersByIds: { nextBestAction: Action }[] }>(
      graphql,
      tokens.operator,
      `query ($ids: [ID!]!) { customersByIds(ids: $ids) { nextBestAction(goal: "retain", budgetMs: 4000) { action uplift { value low high }
        expectedNet { amount } segment alternatives { action } suppressed { action because } servedBy { rung fallbackReason } } } }`,
      { ids: pages.map(({ id }) => id) },
    );
    const taken = new Set(customersByIds.map(({ nextBestAction: { action } }) => action));
    expect(taken.has('none') && taken.size > 1, [...taken].join(', ')).toBe(true);
    for (const { nextBestAction: next } of customersByIds) {
      expect(next.servedBy).toEqual({ rung: 'MODEL', fallbackReason: null });
      expect(next.uplift.low).toBeLessThanOrEqual(next.uplift.value);
      expect(next.uplift.high).toBeGreaterThanOrEqual(next.uplift.value);
      expect(next.segment).not.toBeNull();
      expect(next.suppressed.every(({ because }) => because.length > 0)).toBe(true);
      if (next.action === 'none') expect(Number(next.expectedNet.amount)).toBe(0);
      else expect(Number(next.expectedNet.amount)).toBeGreaterThan(0);
    }
  });

  it('refuses a horizon that no model was trained for, and names the one there is', async () => {
    const { data, errors } = await ask<{ customer: { churnRisk: unknown; purchaseLikelihood: unknown } }>(
      graphql,
      tokens.marketer,
      'query ($id: ID!) { customer(id: $id) { churnRisk(horizonDays: 45) { probability } purchaseLikelihood { probability } } }',
      { id: pages[0]?.id },
    );
    expect(data?.customer).toMatchObject({
      churnRisk: null,
      purchaseLikelihood: { probability: expect.any(Number) },
    });
    expect(errors).toMatchObject([
      { message: expect.stringContaining('30 days'), extensions: { code: 'INVALID_INPUT' } },
    ]);
  });
});

describe('similar products', () => {
  it('are others, from the model, most of them of a category of the product', async () => {
    interface Slated {
      id: string;
      categories: string[];
      similar: Decided & { items: { reason: string; product: { id: string; categories: string[] } }[] };
    }
    const { products } = await askOk<{ products: { nodes: Slated[] } }>(
      graphql,
      tokens.web,
      '{ products(first: 20) { nodes { id categories similar(first: 5, budgetMs: 4000) { servedBy { rung fallbackReason } items { reason product { id categories } } } } } }',
    );
    let [related, all] = [0, 0];
    for (const { id, categories, similar } of products.nodes) {
      expect(similar.servedBy).toEqual({ rung: 'MODEL', fallbackReason: null });
      expect(similar.items).toHaveLength(5);
      expect(similar.items.map(({ product }) => product.id)).not.toContain(id);
      expect(similar.items[0]?.reason).not.toBe('');
      all += similar.items.length;
      related += similar.items.filter(({ product }) =>
        product.categories.some((each) => categories.includes(each)),
      ).length;
    }
    console.info(`similar products: ${related} of ${all} share a category`);
    expect(related / all).toBeGreaterThan(0.4);
  });
});
