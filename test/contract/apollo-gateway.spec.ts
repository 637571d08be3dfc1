import { ApolloGateway, type GraphQLDataSource } from '@apollo/gateway';
import { signRequest } from '@sextant/platform';
import { type DocumentNode, Kind, parse, print, visit } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { identityOf, type RunningGraph, SECRET, startGraph } from './graph-processes.js';
import { SUPERGRAPH_SDL } from './supergraph-rules.js';

const PRODUCTS = [
  {
    id: 'a',
    title: 'Lamp',
    listPrice: { amount: '12.90', currency: 'EUR' },
    cost: { amount: '5', currency: 'EUR' },
    stock: 3,
  },
  { id: 'b', title: 'Chair', listPrice: { amount: '49.00', currency: 'EUR' } },
];
/** A slate of the prediction subgraph whose products are the campaign subgraph's. */
const JOINED = `query ($viewed: [ID!]!) {
  sessionRecommendations(session: { anonymousRef: "s", viewed: $viewed }, slot: "home", first: 5) { items { rank product { id title listPrice { amount currency } } } }
  products(first: 2) { nodes { id title cost { amount } price { price { amount } } } hasNextPage }
}`;

let graph: RunningGraph;
beforeAll(async () => {
  graph = await startGraph();
  const upsert =
    'mutation ($p: [ProductInput!]!) { upsertProducts(products: $p) { upserted userErrors { code } } }';
  await askOk(graph.url, await graph.tokenOf('operator'), upsert, { p: PRODUCTS });
});
afterAll(() => graph?.stop());

describe('@apollo/gateway', () => {
  it('answers from the same supergraph what our gateway answers', async () => {
    const gateway = new ApolloGateway({
      supergraphSdl: withoutSecurity(parse(SUPERGRAPH_SDL)),
      buildService: ({ name }) => subgraphSource(name),
    });
    const { executor } = await gateway.load();
    const variables = { viewed: ['a'] };
    const theirs = await executor({
      document: parse(JOINED),
      queryHash: 'joined',
      context: {},
      cache: {
        get: () => Promise.resolve(undefined),
        set: () => Promise.resolve(),
        delete: () => Promise.resolve(true),
      },
      request: { query: JOINED, variables },
      overallCachePolicy: undefined,
      schema: undefined,
    } as never);
    await gateway.stop();

    const ours = await askOk<Answer>(graph.url, await graph.tokenOf('operator'), JOINED, variables);
    expect(theirs.errors).toBeUndefined();
    expect(JSON.parse(JSON.stringify(theirs.data))).toEqual(ours);
    expect(ours.products.nodes.map(({ title }) => title)).toEqual(['Lamp', 'Chair']);
    expect(ours.products.nodes[0]?.cost).toEqual({ amount: '5.00' });
  });
});

interface Answer {
  products: { nodes: { title: string; cost: { amount: string } | null }[] };
}

/** Sends what the planner wants to one subgraph, signed as our gateway signs. */
function subgraphSource(name: string): GraphQLDataSource {
  return {
    async process({ request }) {
      const body = JSON.stringify({ query: request.query, variables: request.variables });
      const signature = signRequest(
        { receiver: name, method: 'POST', path: '/graphql', body },
        identityOf('operator'),
        {
          secret: SECRET,
          nowMs: Date.now(),
        },
      );
      const response = await fetch(graph.subgraphs[name] ?? '', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...signature },
      });
      return (await response.json()) as Awaited<ReturnType<GraphQLDataSource['process']>>;
    },
  };
}

/** @apollo/gateway refuses supergraphs with security directives, which it cannot enforce. */
function withoutSecurity(document: DocumentNode): string {
  const stripped = visit(document, {
    Directive: ({ name, arguments: given }) => {
      const isLink =
        name.value === 'link' &&
        given?.some(({ value }) => value.kind === Kind.ENUM && value.value === 'SECURITY');
      return isLink || isRule(name.value) ? null : undefined;
    },
    DirectiveDefinition: ({ name }) => (isRule(name.value) ? null : undefined),
    ScalarTypeDefinition: ({ name }) => (/^(requiresScopes|policy)__/.test(name.value) ? null : undefined),
  });
  return print(stripped);
}

function isRule(directive: string): boolean {
  return directive === 'requiresScopes' || directive === 'policy';
}
