import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { type RunningSextant, startSextant } from '../support/running-sextant.js';
import { killHard, load, type TimedAnswer, untilBack } from './fault-harness.js';

const QUERY = `query ($id: ID!, $products: [ID!]!) {
  customer(id: $id) { recommendations(slot: "home", first: 5, budgetMs: 300) { servedBy { rung fallbackReason } items { rank } } leadScore(budgetMs: 300) { servedBy { rung fallbackReason } } }
  priceQuotes(productIds: $products, budgetMs: 300) { servedBy { rung fallbackReason } price { amount } } }`;

interface Served {
  servedBy: { rung: string; fallbackReason: string | null };
}
interface Answer {
  customer: { recommendations: Served & { items: unknown[] }; leadScore: Served };
  priceQuotes: Served[];
}

const servings = ({ answer }: TimedAnswer<Answer>): Served['servedBy'][] =>
  answer.data
    ? [answer.data.customer.recommendations, answer.data.customer.leadScore, ...answer.data.priceQuotes].map(
        ({ servedBy }) => servedBy,
      )
    : [];

describe('the worker is killed in the middle of 20 s at 20 queries a second', () => {
  let sextant: RunningSextant;
  beforeAll(async () => {
    sextant = await startSextant();
  });
  afterAll(() => sextant.stop());

  it('no query fails; the rung falls with a reason and is MODEL again within 5 s of the return', async () => {
    const { graphql, tokens, metrics } = sextant.access;
    const { customers, products } = await askOk<{
      customers: { nodes: { id: string }[] };
      products: { nodes: { id: string }[] };
    }>(
      graphql,
      tokens.operator,
      '{ customers(first: 50) { nodes { id } } products(first: 50) { nodes { id } } }',
    );
    const question = (n: number) => ({
      query: QUERY,
      variables: { id: customers.nodes[n % 50]?.id, products: [products.nodes[n % 50]?.id] },
    });
    const running = load<Answer>({
      perSecond: 20,
      seconds: 20,
      url: graphql,
      token: tokens.operator,
      question,
    });
    await sleep(6_000); // load before the fault
    const killedAt = Date.now();
    const died = await killHard(sextant, 'worker');
    const backAt = await untilBack(
      sextant,
      'worker',
      died,
      (metrics['worker'] ?? '').replace('/metrics', '/health/ready'),
    );
    const answers = await running;

    expect(answers).toHaveLength(400);
    expect(answers.flatMap(({ answer }) => answer.errors)).toEqual([]);
    const during = answers
      .filter(({ askedAt }) => askedAt > killedAt + 50 && askedAt < backAt - 50)
      .flatMap(servings);
    const fallen = during.filter(({ rung }) => rung !== 'MODEL');
    expect(fallen.length).toBeGreaterThan(0);
    for (const { rung, fallbackReason } of fallen) {
      expect(['CACHE', 'HEURISTIC']).toContain(rung);
      expect(fallbackReason).toMatch(/^[A-Z_]+$/);
    }
    const later = answers.filter(({ askedAt }) => askedAt > backAt + 5_000).flatMap(servings);
    expect(later.length).toBeGreaterThan(0);
    expect(new Set(later.map(({ rung }) => rung))).toEqual(new Set(['MODEL']));
  });
});
