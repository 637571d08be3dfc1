// Three subgraphs with entities between them, small enough to read and fast enough not to be the bottleneck.
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes", "@listSize"])';

/** `@scope` stands where a rule of access stands in the protected graph, and nothing in the open one. */
const SDL = {
  people: `
    type Query {
      customer(id: ID!): Customer @scope
      customers(first: Int!, after: Int = 0): [Customer!]! @listSize(slicingArguments: ["first"]) @scope
    }
    type Customer @key(fields: "id") {
      id: ID!
      name: String!
      email: String @scope
      city: String
      joined: String!
      orders: Int!
      account: Account!
    }
    type Account { id: ID! name: String! tier: Tier! members(first: Int!): [Customer!]! @listSize(slicingArguments: ["first"]) @scope }
    enum Tier { FREE PLUS BUSINESS }`,
  catalogue: `
    type Query { product(id: ID!): Product @scope }
    type Product @key(fields: "id") { id: ID! title: String! category: String price: Money! stock: Int }
    type Money { amount: String! currency: String! }`,
  models: `
    type Query { modelVersion: String @scope }
    type Customer @key(fields: "id") {
      id: ID!
      score: Score @scope
      recommendations(first: Int!): [Product!] @listSize(slicingArguments: ["first"]) @scope
    }
    type Product @key(fields: "id") { id: ID! popularity: Float! }
    type Score { probability: Float! band: String! reasons: [Reason!]! @listSize(assumedSize: 3) }
    type Reason { feature: String! weight: Float! }`,
};

/** @param scope  text of the rule on protected fields; empty: nothing is protected */
export function typeDefs(name, scope = '') {
  return `${LINK}\n${SDL[name].replaceAll('@scope', scope)}`;
}

export const SUBGRAPHS = Object.keys(SDL);

/** @param urls  by name of the subgraph */
export function supergraphOf(urls, scope = '') {
  const { supergraphSdl, errors } = composeServices(
    SUBGRAPHS.map((name) => ({ name, url: urls[name], typeDefs: parse(typeDefs(name, scope)) })),
  );
  if (!supergraphSdl) throw new Error(errors.map(({ message }) => message).join('\n'));
  return supergraphSdl;
}

const customer = (id) => ({
  __typename: 'Customer',
  id: String(id),
  name: `Customer ${id}`,
  email: `${id}@example.com`,
  city: ['Graz', 'Linz', 'Wien'][id % 3],
  joined: '2026-01-01',
  orders: id % 17,
  account: { id: String(id % 50), name: `Account ${id % 50}`, tier: ['FREE', 'PLUS', 'BUSINESS'][id % 3] },
});
const range = (first, from = 0) => Array.from({ length: first }, (_, index) => from + index);

export const RESOLVERS = {
  people: {
    Query: {
      customer: (_, { id }) => customer(Number(id)),
      customers: (_, { first, after }) => range(first, after).map(customer),
    },
    Customer: { __resolveReference: ({ id }) => customer(Number(id)) },
    Account: { members: ({ id }, { first }) => range(first, Number(id) * 100).map(customer) },
  },
  catalogue: {
    Query: { product: (_, { id }) => ({ id }) },
    Product: {
      __resolveReference: ({ id }) => ({ id }),
      title: ({ id }) => `Product ${id}`,
      category: ({ id }) => `category-${Number(id) % 9}`,
      price: ({ id }) => ({ amount: `${id}.90`, currency: 'EUR' }),
      stock: ({ id }) => Number(id) % 100,
    },
  },
  models: {
    Query: { modelVersion: () => 'bench@1' },
    Customer: {
      __resolveReference: ({ id }) => ({ id }),
      score: ({ id }) => ({
        probability: (Number(id) % 100) / 100,
        band: 'WARM',
        reasons: range(3).map((index) => ({ feature: `feature-${index}`, weight: index / 7 })),
      }),
      recommendations: ({ id }, { first }) =>
        range(first, Number(id) * 3).map((each) => ({ id: String(each % 500) })),
    },
    Product: { __resolveReference: ({ id }) => ({ id }), popularity: ({ id }) => Number(id) / 500 },
  },
};
