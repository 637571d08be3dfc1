// The same schema, the same loader and the same rows for all contestants.
import DataLoader from 'dataloader';

export const SDL = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requiresScopes"])
type Query { product(id: ID!): Product @requiresScopes(scopes: [["catalogue:read"]]) }
type Product @key(fields: "id") { id: ID! name: String! amount: String! category: String inStock: Boolean! label: String! margin: Float }
`;

const entities = (selection) =>
  `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Product { ${selection} } } }`;

/** What is asked: three fields that are there, three of which two are computed by a method, fifty plain entities more. */
export const QUERIES = {
  'three plain fields': entities('name amount category'),
  'one plain field, two methods': entities('name label margin'),
};

const ROWS = new Map(
  Array.from({ length: 1_000 }, (_, i) => [
    `p${i}`,
    {
      id: `p${i}`,
      name: `Product ${i}`,
      amount: `${i}.90`,
      category: i % 7 ? 'shoes' : null,
      inStock: i % 5 > 0,
    },
  ]),
);

/** One for each request, as stores are read. */
export function productLoader() {
  return new DataLoader(async (ids) => ids.map((id) => ROWS.get(id) ?? null));
}

/** @returns bodies of requests for fifty entities each, none like another */
export function bodies(query, count) {
  return Array.from({ length: count }, (_, k) => {
    const representations = Array.from({ length: 50 }, (_, i) => ({
      __typename: 'Product',
      id: `p${(k * 37 + i * 13) % 1_000}`,
    }));
    return JSON.stringify({ query, variables: { representations } });
  });
}

export const label = ({ id, name }) => `${id} ${name}`;
export const margin = ({ amount }) => Number(amount) / 4;

/** Tells the CPU time spent so far, in microseconds, to whom asks over IPC. */
export function reportCpu(url) {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send({ cpu: user + system, rss: process.memoryUsage().rss });
  });
  process.send({ url });
}
