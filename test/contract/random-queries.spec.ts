import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';
import { RandomQueries, type RandomQuery } from './random-queries.js';

const QUERIES = 1_000;
const AT_A_TIME = 8;
const SEED = 20_260_131;

interface Cost {
  estimated: number;
  actual: number;
  limit: number;
  inferenceRows: number;
}
interface Answer extends RandomQuery {
  status: number;
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string } }[];
  extensions?: { cost?: Cost };
}

let graph: RunningGraph;
let token: string;
beforeAll(async () => {
  graph = await startGraph({
    withWorker: true,
    env: {
      SEXTANT_COST_RATE: '0',
      SEXTANT_MAX_DEPTH: '20',
      SEXTANT_MAX_COST: '100000',
      SEXTANT_MAX_ALIASES: '2000',
    },
  });
  token = await graph.tokenOf('operator');
  await fill();
});
afterAll(() => graph?.stop());

/** Customers with accounts, events, messages, consents and segments, products with prices: lists with something in them. */
async function fill(): Promise<void> {
  const at = (day: number): string => new Date(Date.now() - day * 86_400_000).toISOString();
  const events = Array.from({ length: 12 }, (_, i) => `shop:${i}`).flatMap((customerRef, i) => [
    {
      id: `profile-${i}`,
      type: 'profile_update',
      at: at(30),
      customerRef,
      properties: { accountRef: `acc-${i % 3}`, plan: 'gold' },
    },
    ...Array.from({ length: 8 }, (_, n) => ({
      id: `view-${i}-${n}`,
      type: 'product_view',
      at: at(n + 1),
      customerRef,
      properties: { productId: `p${n}`, price: '9.90', currency: 'EUR' },
    })),
    { id: `lead-${i}`, type: 'lead_submitted', at: at(2), customerRef, properties: { budget: 10 * i } },
  ]);
  const products = Array.from({ length: 10 }, (_, n) => ({
    id: `p${n}`,
    title: `Product ${n}`,
    categories: ['shoes', `c${n % 2}`],
    listPrice: { amount: `${10 + n}.00`, currency: 'EUR' },
    cost: { amount: '5.00', currency: 'EUR' },
  }));
  await askOk(
    graph.url,
    token,
    'mutation($events: [EventInput!]!) { ingestEvents(events: $events) { accepted } }',
    { events },
  );
  await askOk(
    graph.url,
    token,
    'mutation($products: [ProductInput!]!) { upsertProducts(products: $products) { upserted } }',
    { products },
  );
  const input = {
    name: 'Buyers',
    kind: 'RULE',
    definition: { all: [{ feature: 'count.product_view.total', is: 'gte', value: 1 }] },
  };
  await askOk(
    graph.url,
    token,
    'mutation($input: SegmentInput!) { createSegment(input: $input) { segment { id } } }',
    { input },
  );
}

async function run(query: RandomQuery): Promise<Answer> {
  const response = await fetch(graph.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(query),
    signal: AbortSignal.timeout(30_000),
  });
  return { ...query, status: response.status, ...((await response.json()) as object) };
}

/** What a reader needs to find a fault. */
function shown({ query, variables, errors, extensions }: Answer): object {
  const faults = errors?.map((error) => `${error.extensions?.code}: ${error.message}`);
  return { query, variables, errors: faults, ...extensions };
}

describe('1,000 random queries', () => {
  const answers: Answer[] = [];

  beforeAll(async () => {
    const introspected = await askOk<IntrospectionQuery>(graph.url, token, getIntrospectionQuery());
    const schema = buildClientSchema(introspected);
    const { customers } = await askOk<{ customers: { nodes: { id: string }[] } }>(
      graph.url,
      token,
      '{ customers(first: 5) { nodes { id } } }',
    );
    const ids = customers.nodes.map(({ id }) => id);
    const queries = new RandomQueries({
      schema,
      seed: SEED,
      depth: 6,
      values: {
        id: [...ids, 'p1', 'p2', 'lead', 'recommend', 'acc-1', 'none'],
        ids: ids,
        ref: ['shop:1', 'shop:2', 'none'],
        customerId: ids,
        customerIds: ids,
        productIds: ['p1', 'p2', 'p3', 'none'],
        task: ['lead', 'churn', 'purchase', 'recommend', 'none'],
        model: ['lead', 'recommend'],
        prices: ['9.90', '12.00'],
        slot: ['home', 'basket'],
        viewed: ['p1', 'p2', 'p3'],
        first: [1, 2, 3, 5, 5, 10, 0, -1, 101, 2_000_000_000],
        top: [1, 3, 50, 0],
        budgetMs: [5, 50, 500],
        quantity: [1, 2],
        horizonDays: [30, 7, 365, 0],
        set: ['customer', 'lead', 'none'],
        goal: ['retain'],
        after: ['', 'nonsense'],
      },
    });
    const all = Array.from({ length: QUERIES }, () => queries.next());
    for (const { query } of all) expect([query, validate(schema, parse(query))]).toEqual([query, []]);
    const waiting = all.values();
    const worker = async (): Promise<void> => {
      for (const query of waiting) answers.push(await run(query));
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  }, 400_000);

  it('are answered without a crash and without a fault of ours', () => {
    expect(answers).toHaveLength(QUERIES);
    const faults = answers.filter(
      ({ status, errors }) =>
        status >= 500 || errors?.some(({ extensions }) => extensions?.code === 'INTERNAL_SERVER_ERROR'),
    );
    expect(faults.slice(0, 3).map(shown)).toEqual([]);
    const invalid = answers.filter(({ errors }) =>
      errors?.some(({ extensions }) => String(extensions?.code).startsWith('GRAPHQL_')),
    );
    expect(invalid.slice(0, 3).map(shown)).toEqual([]);
    const withData = answers.filter(({ data }) => data !== undefined && data !== null);
    expect(withData.length).toBeGreaterThan(QUERIES / 2);
  });

  it('never cost more than was estimated', () => {
    const charged = answers.flatMap((answer) => {
      const cost = answer.extensions?.cost;
      return cost ? [{ ...answer, cost }] : [];
    });
    expect(charged.length).toBeGreaterThan(QUERIES / 2);
    const dearer = charged.filter(({ cost }) => cost.actual > cost.estimated);
    expect(dearer.slice(0, 3).map(shown)).toEqual([]);
    expect(charged.filter(({ cost }) => cost.estimated > cost.limit)).toEqual([]);
    expect(charged.some(({ cost }) => cost.actual > 20)).toBe(true);
    const refused = answers.filter(({ errors }) =>
      errors?.some(({ extensions }) => extensions?.code === 'QUERY_TOO_EXPENSIVE'),
    );
    expect(refused.length).toBeGreaterThan(0);
    const others = answers.filter((answer) => !answer.extensions?.cost && !refused.includes(answer));
    expect(others.slice(0, 3).map(shown)).toEqual([]);
  });
});
