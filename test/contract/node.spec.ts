import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeIdOf } from '@sextant/domain';
import { ask } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';

let graph: RunningGraph;
let operator: string;
beforeAll(async () => {
  graph = await startGraph();
  operator = await graph.tokenOf('operator');
}, 120_000);
afterAll(() => graph.stop());

interface Named {
  nodeId: string;
}

/** What the operations below select; each answer holds the fields that it asked for. */
interface Selected {
  node: object | null;
  nodes: Named[];
  product: Named;
  customer: Named & { account: Named };
  campaigns: { nodes: [Named] };
  createCampaign: { campaign: Named };
  verifyQuote: object;
}

async function answer(query: string, variables?: Record<string, unknown>, token = operator) {
  const { data, errors } = await ask<Selected>(graph.url, token, query, variables);
  if (!data) throw new Error(`expected data, got ${JSON.stringify(errors)}`);
  return { data, codes: errors.map(({ extensions }) => extensions?.code) };
}

const NODE = `query ($id: ID!) { node(id: $id) { __typename nodeId
  ... on Product { title } ... on Campaign { name } ... on Customer { ref lifecycle } ... on Account { id } } }`;
const find = (id: string, token?: string) => answer(NODE, { id }, token);

describe('node(id:) over all subgraphs', () => {
  it('leads from what every subgraph shows back to the object', async () => {
    const events = [
      {
        ...{ id: 'e1', type: 'profile_update', at: '2026-01-01T00:00:00Z', customerRef: 'shop:1' },
        properties: { accountRef: 'acme' },
      },
    ];
    await answer('mutation ($e: [EventInput]!) { ingestEvents(events: $e) { accepted } }', { e: events });
    const { data } = await answer(
      `mutation ($p: [ProductInput!]!, $c: CampaignInput!) {
        upsertProducts(products: $p) { upserted } createCampaign(input: $c) { campaign { nodeId } } }`,
      {
        p: [{ id: 'p:1', title: 'One' }],
        c: { name: 'Spring', objective: 'REVENUE', channel: 'EMAIL', idempotencyKey: 'k' },
      },
    );
    const shown = await answer(
      '{ product(id: "p:1") { nodeId } customer(ref: "shop:1") { nodeId account { nodeId } } }',
    );
    const { product, customer } = shown.data;
    const expected = [
      { __typename: 'Product', nodeId: product.nodeId, title: 'One' },
      { __typename: 'Campaign', nodeId: data.createCampaign.campaign.nodeId, name: 'Spring' },
      { __typename: 'Account', nodeId: customer.account.nodeId, id: 'acme' },
    ];
    for (const node of expected) expect(await find(node.nodeId)).toEqual({ data: { node }, codes: [] });
    const person = await find(customer.nodeId);
    expect(person.data.node).toMatchObject({ __typename: 'Customer', ref: 'shop:1' });
    const ids = expected.map(({ nodeId }) => nodeId);
    const several = await answer('query ($ids: [ID!]!) { nodes(ids: $ids) { nodeId } }', { ids });
    expect(several.data.nodes).toEqual(ids.map((nodeId) => ({ nodeId })));
  });

  it.each(['Customer', 'Account', 'Segment', 'Product', 'Campaign', 'ModelVersion', 'TrainingJob'])(
    'is null for a %s that there is not, or that another tenant has',
    async (type) => {
      const id = type === 'ModelVersion' ? 'lead@9' : 'nothing';
      expect(await find(nodeIdOf(type, id))).toEqual({ data: { node: null }, codes: [] });
      const { data } = await answer('{ product(id: "p:1") { nodeId } }');
      const stranger = await graph.tokenOf('operator', 'another');
      expect(await find(data.product.nodeId, stranger)).toEqual({ data: { node: null }, codes: [] });
    },
  );

  it('is no way around the scope of a type', async () => {
    const web = await graph.tokenOf('web');
    const { data } = await answer('{ product(id: "p:1") { nodeId } campaigns { nodes { nodeId } } }');
    expect((await find(data.product.nodeId, web)).data.node).toMatchObject({ title: 'One' });
    const [campaign] = data.campaigns.nodes;
    const { data: refused, codes } = await answer(
      'query ($id: ID!) { node(id: $id) { nodeId } }',
      { id: campaign.nodeId },
      web,
    );
    expect([refused.node, codes]).toEqual([null, ['FORBIDDEN']]);
  });
});

describe('verifyQuote at the gateway', () => {
  it('knows a token that is none of ours', async () => {
    const { data } = await answer('{ verifyQuote(token: "q1.e30.forged") { refusal quote { quantity } } }');
    expect(data).toEqual({ verifyQuote: { refusal: 'FORGED', quote: null } });
  });
});
