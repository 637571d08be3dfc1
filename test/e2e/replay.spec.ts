import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { askOk, until } from '../support/graph.js';

const { access } = inject('sextant');
const { graphql, tokens, tenant, mongodb } = access;

const DECISIONS = 10_000;
const KINDS = ['recommend', 'lead', 'churn', 'purchase', 'lifetime', 'uplift', 'price'];
/** Pages of so many customers each: an answer must not depend on how many rows were computed with it. */
const PAGES = [50, 1, 37, 8, 3];

const CUSTOMERS = `query ($first: Int!, $after: String, $slate: Int!) { customers(first: $first, after: $after) {
  endCursor hasNextPage
  nodes { id
    recommendations(slot: "home", first: $slate, budgetMs: 5000) { servedBy { rung } }
    leadScore(budgetMs: 5000) { servedBy { rung } }
    churnRisk(budgetMs: 5000) { servedBy { rung } }
    purchaseLikelihood(budgetMs: 5000) { servedBy { rung } }
    lifetimeValue(horizonDays: 180, budgetMs: 5000) { servedBy { rung } }
    nextBestAction(goal: "retain", budgetMs: 5000) { servedBy { rung } } } } }`;
const PRICES = `query ($ids: [ID!]!, $viewed: [ID!]!) {
  priceQuotes(productIds: $ids, quantity: 2, budgetMs: 5000) { servedBy { rung } }
  sessionRecommendations(session: { anonymousRef: "replayed", viewed: $viewed }, slot: "cart", budgetMs: 5000) { servedBy { rung } } }`;
const REPLAY = `query ($version: ID!, $from: DateTime!, $to: DateTime!) {
  replayDecisions(modelVersion: $version, from: $from, to: $to, first: 10000) {
    replayed identical maxAbsDiff isComplete failed { code message count } differing { id kind output replay { differences } } } }`;

interface CustomerPage {
  customers: { endCursor: string | null; hasNextPage: boolean; nodes: { id: string }[] };
}

interface Summary {
  replayed: number;
  identical: number;
  maxAbsDiff: number;
  isComplete: boolean;
  failed: unknown[];
  differing: unknown[];
}

describe('ten thousand logged decisions', () => {
  let client: MongoClient;
  const from = new Date();
  beforeAll(async () => {
    client = await new MongoClient(mongodb).connect();
  });
  afterAll(() => client.close());

  const decideAboutCustomers = async (): Promise<void> => {
    let after: string | null = null;
    let decided = 0;
    // A quarter more than are asked for: of some kinds a rule answers where a tenant's data was too little for a model.
    for (let page = 0; decided < 1.25 * DECISIONS; page++) {
      const first = PAGES[page % PAGES.length] ?? 1;
      const slate = 1 + (page % 12);
      const { customers }: CustomerPage = await askOk(graphql, tokens.operator, CUSTOMERS, {
        ...{ first, after, slate },
      });
      decided += 5 * customers.nodes.length;
      after = customers.hasNextPage ? customers.endCursor : null;
    }
  };
  const decideAboutProducts = async (): Promise<void> => {
    const { products } = await askOk<{ products: { nodes: { id: string }[] } }>(
      graphql,
      tokens.operator,
      '{ products(first: 50) { nodes { id } } }',
    );
    const ids = products.nodes.map(({ id }) => id);
    for (const count of [1, 2, 7, 31, ids.length]) {
      await askOk(graphql, tokens.operator, PRICES, {
        ids: ids.slice(0, count),
        viewed: ids.slice(0, Math.min(count, 9)),
      });
    }
  };
  const logged = (match: object = {}) =>
    client
      .db()
      .collection('decisions')
      .countDocuments({ tenantId: tenant, at: { $gte: from }, ...match });

  it('of all kinds are made again, identical to the bit on the same provider', async () => {
    await decideAboutCustomers();
    await decideAboutProducts();
    await until('every decision in the log', 30_000, async () => (await logged()) >= DECISIONS);
    const to = new Date();
    const decisions = client.db().collection('decisions');
    const window = { tenantId: tenant, at: { $gte: from, $lt: to } };
    expect(new Set(await decisions.distinct('kind', window))).toEqual(new Set(KINDS));
    const versions: string[] = await decisions.distinct('modelVersion', window);
    let replayed = 0;
    for (const version of versions) {
      const summary = await replayAll(version, to);
      expect([version, summary.differing, summary.failed]).toEqual([version, [], []]);
      expect(summary.identical).toBe(summary.replayed);
      replayed += summary.replayed;
    }
    expect(replayed).toBe(await logged({ at: { $gte: from, $lt: to } }));
    expect(await logged({ at: { $gte: from, $lt: to }, rung: 'MODEL' })).toBeGreaterThanOrEqual(DECISIONS);
  });

  /** In stretches of time that eight seconds are enough for. */
  async function replayAll(version: string, to: Date): Promise<Summary> {
    const total: Summary = {
      ...{ replayed: 0, identical: 0, maxAbsDiff: 0, isComplete: true, failed: [], differing: [] },
    };
    const stretches: [Date, Date][] = [[from, to]];
    for (let stretch = stretches.pop(); stretch; stretch = stretches.pop()) {
      const [start, end] = stretch;
      const { replayDecisions: part } = await askOk<{ replayDecisions: Summary }>(
        graphql,
        tokens.operator,
        REPLAY,
        { version, from: start.toISOString(), to: end.toISOString() },
      );
      if (!part.isComplete) {
        const middle = new Date((start.getTime() + end.getTime()) / 2);
        stretches.push([start, middle], [middle, end]);
        continue;
      }
      total.replayed += part.replayed;
      total.identical += part.identical;
      total.differing.push(...part.differing);
      total.failed.push(...part.failed);
    }
    return total;
  }
});
