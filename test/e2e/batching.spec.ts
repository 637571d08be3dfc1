import { describe, expect, inject, it } from 'vitest';
import { askOk, metric } from '../support/graph.js';

const { access } = inject('sextant');
const { graphql, tokens, metrics } = access;

const FIFTY = `{ customers(first: 50) { nodes { id
  recommendations(slot: "home", first: 2, budgetMs: 4000) { servedBy { rung } items { product { id price(budgetMs: 4000) { servedBy { rung } price { amount } } } } }
  leadScore(budgetMs: 4000) { servedBy { rung } probability } } } }`;

interface Answer {
  customers: {
    nodes: {
      recommendations: {
        servedBy: { rung: string };
        items: { product: { price: { servedBy: { rung: string } } } }[];
      };
      leadScore: { servedBy: { rung: string } };
    }[];
  };
}

describe('one query for 50 customers and three predictions', () => {
  it('makes three calls to the worker, by its own count', async () => {
    await askOk(graphql, tokens.operator, FIFTY); // the first query also fills the catalogue cache
    const before = await metric(metrics['worker'] ?? '', 'sextant_worker_rpc_total');
    const { customers } = await askOk<Answer>(graphql, tokens.operator, FIFTY);
    const after = await metric(metrics['worker'] ?? '', 'sextant_worker_rpc_total');
    expect(customers.nodes).toHaveLength(50);
    for (const { recommendations, leadScore } of customers.nodes) {
      expect([recommendations.servedBy.rung, leadScore.servedBy.rung]).toEqual(['MODEL', 'MODEL']);
      expect(recommendations.items.map(({ product }) => product.price.servedBy.rung)).toEqual([
        'MODEL',
        'MODEL',
      ]);
    }
    expect(after - before).toBe(3);
  });
});
