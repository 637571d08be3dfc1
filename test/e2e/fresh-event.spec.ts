import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { Q1, type RecommendationAnswer } from '../support/operations.js';

const { access } = inject('sextant');
const { graphql, tokens } = access;

const INGEST =
  'mutation ($events: [EventInput!]!) { ingestEvents(events: $events) { accepted duplicates rejected { id code path } watermark } }';
const BY_REF = 'query ($ref: ID!) { customer(ref: $ref) { id } }';

/** Two products of different categories, so that a view of one and of the other mean different things. */
async function productsOfTwoCategories(): Promise<[string, string]> {
  const { products } = await askOk<{ products: { nodes: { id: string; categories: string[] }[] } }>(
    graphql,
    tokens.web,
    '{ products(first: 100) { nodes { id categories } } }',
  );
  const [first] = products.nodes;
  const second = products.nodes.find(
    ({ categories }) => !categories.some((category) => first?.categories.includes(category)),
  );
  if (!first || !second) throw new Error('the demo company has one category only');
  return [first.id, second.id];
}

async function slate(id: string): Promise<string[]> {
  const { customer } = await askOk<RecommendationAnswer>(graphql, tokens.web, Q1, { id });
  expect(customer?.recommendations?.servedBy.rung).toBe('MODEL');
  return customer?.recommendations?.items.map(({ product }) => product?.id ?? '') ?? [];
}

describe('an event ingested now', () => {
  it('changes what the same customer is recommended on the next query, with no retraining', async () => {
    const ref = `shop:fresh-${randomUUID()}`;
    const view = (productId: string) => ({
      id: randomUUID(),
      type: 'product_view',
      at: new Date().toISOString(),
      customerRef: ref,
      properties: { productId, price: '9.99', currency: 'EUR' },
    });
    const [one, other] = await productsOfTwoCategories();

    const first = await askOk<{ ingestEvents: { accepted: number } }>(graphql, tokens.web, INGEST, {
      events: [view(one)],
    });
    expect(first.ingestEvents.accepted).toBe(1);
    const { customer } = await askOk<{ customer: { id: string } }>(graphql, tokens.web, BY_REF, { ref });
    const before = await slate(customer.id);

    await askOk(graphql, tokens.web, INGEST, { events: [view(other), view(other)] });
    const after = await slate(customer.id);
    expect(after).not.toEqual(before);
  });
});
