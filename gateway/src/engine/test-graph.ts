import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type DocumentNode, execute, GraphQLError, type GraphQLSchema, parse, subscribe } from 'graphql';
import { type GatewayContext, type OperationRequest, PreparedOperation } from '../pipeline/operation.js';
import type { Supergraph } from '../supergraph/supergraph.js';
import type { SubgraphAnswer, SubgraphFetch, SubgraphTransport } from './engine.js';
import { FederatedEngine } from './federated-engine.js';

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@inaccessible", "@shareable"])';

const SDL = {
  people: `${LINK}
    type Query {
      customer(id: ID!): Customer
      customers(first: Int = 3): [Customer!]!
      everybody: [Customer]!
      found: [Found!]!
    }
    type Mutation { rename(id: ID!, to: String!): Customer }
    type Subscription { renamed(after: String): Renamed }
    type Renamed { cursor: String! customer: Customer! }
    interface Found { id: ID! label: String }
    type Customer implements Found @key(fields: "id") {
      id: ID!
      label: String
      name: String!
      tier: Tier
      friend: Customer!
      friends(first: Int = 2): [Customer!]!
      account: Account
    }
    type Account implements Found @key(fields: "id") { id: ID! label: String owner: Customer! }
    type Ghost implements Found @inaccessible { id: ID! label: String }
    enum Tier { FREE PLUS SECRET @inaccessible }`,
  models: `${LINK}
    type Query { version: String }
    type Mutation { forget(id: ID!): Boolean }
    type Customer @key(fields: "id") { id: ID! score: Float! note: String peers(first: Int = 1): [Customer] }
    type Account @key(fields: "id") { id: ID! risk: Risk }
    type Risk { level: Int! reasons: [String!]! }`,
};

type Resolver = (source: Record<string, unknown>, args: Record<string, unknown>) => unknown;

const customer = (id: number) => ({
  __typename: 'Customer',
  id: String(id),
  label: `c${id}`,
  name: `Customer ${id}`,
});
const account = (id: number) => ({ __typename: 'Account', id: String(id), label: `a${id}` });
const next = (source: Record<string, unknown>, by = 1) => ((Number(source['id']) - 1 + by) % 9) + 1;
const range = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);

/** What each field answers, by `Type.field`; the same for the subgraphs and for a server that holds the whole graph. */
export const FIELDS: Readonly<Record<string, Resolver>> = {
  'Query.customer': (_, { id }) => (Number(id) > 9 ? null : customer(Number(id))),
  'Query.customers': (_, { first }) => range(Number(first)).map(customer),
  'Query.everybody': () => [null, ...range(9).map(customer)],
  'Query.found': () => [customer(1), account(1), customer(2)],
  'Query.version': () => 'v1',
  'Customer.tier': ({ id }) => ['FREE', 'PLUS', 'SECRET'][Number(id) % 3],
  'Customer.friend': (source) => customer(next(source)),
  'Customer.friends': (source, { first }) => range(Number(first)).map((by) => customer(next(source, by))),
  'Customer.account': ({ id }) => (id === '5' ? null : account(Number(id) % 3)),
  'Account.owner': ({ id }) => customer(Number(id) + 1),
  'Customer.score': ({ id }) => {
    if (id === '7') throw new Error('no score for 7');
    return Number(id) / 10;
  },
  'Customer.note': ({ id }) => {
    if (id === '8') throw new Error('no note for 8');
    return id === '2' ? null : `note ${String(id)}`;
  },
  'Customer.peers': (source, { first }) =>
    range(Number(first)).map((by) => (by === 2 ? null : customer(next(source, by + 3)))),
  'Account.risk': ({ id }) => (id === '2' ? null : { level: Number(id), reasons: ['age', 'size'] }),
};

/** Subgraphs in this process, and what was asked of them. */
export class TestTransport implements SubgraphTransport {
  readonly fetches: { subgraph: string; fetch: SubgraphFetch }[] = [];
  /** subgraphs that answer nothing but an error without a path */
  readonly dead = new Set<string>();
  /** answers instead of a subgraph's own, by the subgraph's name */
  readonly answers = new Map<string, SubgraphAnswer>();
  private readonly schemas: ReadonlyMap<string, GraphQLSchema>;

  constructor() {
    this.schemas = new Map(Object.entries(SDL).map(([name, sdl]) => [name, schemaOf(sdl)]));
  }

  async execute(subgraph: string, fetch: SubgraphFetch): Promise<SubgraphAnswer> {
    this.fetches.push({ subgraph, fetch });
    if (this.dead.has(subgraph))
      return { errors: [new GraphQLError('dead', { extensions: { code: 'SUBGRAPH_UNAVAILABLE' } })] };
    const canned = this.answers.get(subgraph);
    if (canned) return structuredClone(canned);
    if (JSON.stringify(fetch.variables) !== (fetch.variablesJson ?? JSON.stringify(fetch.variables)))
      throw new Error(`${fetch.variablesJson} is not ${JSON.stringify(fetch.variables)}`);
    const document = parse(fetch.query);
    const result = await execute({
      schema: this.schema(subgraph),
      document,
      variableValues: fetch.variables ?? {},
    });
    // As over HTTP: nothing of one answer is shared with another.
    const data = result.data && (JSON.parse(JSON.stringify(result.data)) as Record<string, unknown>);
    return { data: data ?? null, ...(result.errors && { errors: result.errors }) };
  }

  async *subscribe(subgraph: string, fetch: SubgraphFetch): AsyncIterable<SubgraphAnswer> {
    const events = await subscribe({
      schema: this.schema(subgraph),
      document: parse(fetch.query),
      variableValues: fetch.variables ?? {},
    });
    if (!(Symbol.asyncIterator in events)) throw new Error(JSON.stringify(events));
    for await (const { data, errors } of events as AsyncIterable<SubgraphAnswer>)
      yield {
        data: data ? (JSON.parse(JSON.stringify(data)) as Record<string, unknown>) : null,
        ...(errors && { errors }),
      };
  }

  private schema(subgraph: string): GraphQLSchema {
    const schema = this.schemas.get(subgraph);
    if (!schema) throw new Error(`no subgraph ${subgraph}`);
    return schema;
  }
}

/** An engine over the test graph. */
export function anEngine(transport: SubgraphTransport = new TestTransport()): FederatedEngine {
  return new FederatedEngine({ supergraph: supergraph(), transport, rules: [] });
}

/** An answer as a client reads it. */
export interface TestAnswer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
}

/** Prepares and executes; a refusal in preparing is an answer, too. */
export async function ask(
  engine: FederatedEngine,
  query: string,
  options: Partial<OperationRequest> = {},
): Promise<TestAnswer> {
  const request = requestOf(engine, query, options);
  const result = 'prepared' in request ? await engine.execute(request) : { errors: request };
  return JSON.parse(JSON.stringify(result)) as TestAnswer;
}

export function requestOf(
  engine: FederatedEngine,
  query: string,
  { variables = {}, context, withheld = new Map() }: Partial<OperationRequest>,
): OperationRequest | readonly GraphQLError[] {
  const prepared = engine.prepare(query, null, 'company');
  if (!(prepared instanceof PreparedOperation)) return prepared;
  const fitted = engine.fit(prepared, variables);
  if (Array.isArray(fitted)) return fitted as GraphQLError[];
  return {
    prepared,
    variables: fitted as Record<string, unknown>,
    context: context ?? ({ deadlineMs: Date.now() + 10_000 } as GatewayContext),
    withheld,
    supergraph: engine.supergraph,
    rules: engine.supergraph.rules,
  };
}

function supergraph(): Supergraph {
  const { supergraphSdl, errors } = composeServices(
    Object.entries(SDL).map(([name, sdl]) => ({ name, url: `http://${name}.invalid`, typeDefs: parse(sdl) })),
  );
  if (!supergraphSdl) throw new Error(errors?.map(({ message }) => message).join('\n'));
  const subgraphs = Object.keys(SDL).map((name) => ({ name, graph: name.toUpperCase(), url: '' }));
  return { sdl: supergraphSdl, subgraphs, rules: new Map() };
}

function schemaOf(sdl: string): GraphQLSchema {
  const typeDefs: DocumentNode = parse(sdl);
  const resolvers: Record<string, Record<string, unknown>> = {
    Found: { __resolveType: ({ __typename }: { __typename: string }) => __typename },
    Customer: { __resolveReference: ({ id }: { id: string }) => customer(Number(id)) },
    Account: { __resolveReference: ({ id }: { id: string }) => account(Number(id)) },
    Mutation: {
      rename: (_: unknown, { id, to }: { id: string; to: string }) => ({ ...customer(Number(id)), name: to }),
      forget: () => true,
    },
    Subscription: {
      renamed: {
        async *subscribe() {
          for (const id of [1, 8])
            yield await Promise.resolve({ renamed: { cursor: `at-${id}`, customer: customer(id) } });
        },
      },
    },
  };
  for (const [coordinate, resolver] of Object.entries(FIELDS)) {
    const [type = '', field = ''] = coordinate.split('.');
    (resolvers[type] ??= {})[field] = resolver;
  }
  return buildSubgraphSchema([{ typeDefs, resolvers: resolvers as never }]);
}
