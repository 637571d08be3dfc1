import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGraph, startGraph } from '../contract/graph-processes.js';
import { ask, askOk, type GraphAnswer, metric, until } from '../support/graph.js';
import { load } from './fault-harness.js';
import { type Fault, type FaultProxy, startFaultProxy } from './fault-proxy.js';

const TIMEOUT_MS = 2_500;
/** Longest pause of the breaker that these drills come to, one probe and slack. */
const RECOVERY_MS = 10_000;
const LIMIT_MS = 120_000;

/** One page out of all three subgraphs: person, catalogue, decision. */
const PAGE = `query Page($ref: ID!, $first: Int = 3) {
  customer(ref: $ref) { id ref leadScore(budgetMs: 50) { servedBy { rung } } }
  products(first: $first) { nodes { id stock } } }`;

interface Page {
  customer: { id: string; ref: string; leadScore: { servedBy: { rung: string } } | null } | null;
  products: { nodes: { id: string; stock: number }[] } | null;
}

let graph: RunningGraph;
let proxy: FaultProxy;
let token: string;

beforeAll(async () => {
  graph = await startGraph({ env: { LOG_LEVEL: 'silent', SEXTANT_AUDIT: 'off' } });
  proxy = await startFaultProxy(graph.subgraphs['campaign'] ?? '');
  await graph.restartGateway({
    ...{ CAMPAIGN_URL: proxy.url, SEXTANT_UPSTREAM_TIMEOUT_MS: String(TIMEOUT_MS), LOG_LEVEL: 'silent' },
  });
  const operator = await graph.tokenOf('operator');
  const products = [1, 2, 3].map((n) => ({ id: `p${n}`, title: `Product ${n}`, stock: n }));
  await askOk(
    graph.url,
    operator,
    'mutation ($p: [ProductInput!]!) { upsertProducts(products: $p) { upserted } }',
    {
      p: products,
    },
  );
  const event = {
    id: 'e1',
    type: 'product_view',
    at: new Date().toISOString(),
    customerRef: 'shop:ann',
    properties: { productId: 'p1', price: '9.99', currency: 'EUR' },
  };
  await askOk(
    graph.url,
    operator,
    'mutation ($e: [EventInput!]!) { ingestEvents(events: $e) { accepted } }',
    { e: [event] },
  );
  token = operator;
}, LIMIT_MS);
afterAll(async () => {
  await graph?.stop();
  await proxy?.close();
}, LIMIT_MS);
afterEach(async () => {
  proxy.fault = 'none';
  await untilWhole();
});

/** @param first  pages with the same one, asked at the same time, are one fetch for the gateway */
const page = (first = 3): Promise<GraphAnswer<Page>> =>
  ask<Page>(graph.url, token, PAGE, { ref: 'shop:ann', first });

/** Until the page is whole again, nothing having been restarted. @returns how long it took, in milliseconds */
async function untilWhole(): Promise<number> {
  const startedMs = performance.now();
  await until('a whole page', RECOVERY_MS, async () => (await page()).errors.length === 0);
  return performance.now() - startedMs;
}

/** Whatever happens to the catalogue, the rest of the page is there and the fault is told where it happened. */
function expectOnlyProductsLost({ status, data, errors }: GraphAnswer<Page>, codes: string[]): void {
  expect(status).toBe(200);
  expect(data?.products).toBeNull();
  expect(data?.customer).toMatchObject({
    ref: 'shop:ann',
    leadScore: { servedBy: { rung: expect.any(String) as string } },
  });
  expect(errors.map(({ path }) => path)).toEqual([['products']]);
  expect(codes).toContain(errors[0]?.extensions?.code);
}

describe('one subgraph is spoilt', () => {
  const drills: [Fault, string][] = [
    ['resets', 'SUBGRAPH_UNAVAILABLE'],
    ['answers 503', 'SUBGRAPH_UNAVAILABLE'],
    ['answers HTML', 'SUBGRAPH_ANSWER_INVALID'],
    ['breaks off', 'SUBGRAPH_ANSWER_INVALID'],
    ['never answers', 'SUBGRAPH_DEADLINE_EXCEEDED'],
    ['drips', 'SUBGRAPH_DEADLINE_EXCEEDED'],
  ];
  it.each(drills)('%s: only its fields are lost, with %s, and it is back by itself', async (fault, code) => {
    expect((await page()).errors).toEqual([]);
    proxy.fault = fault;
    const startedMs = performance.now();
    expectOnlyProductsLost(await page(), [code]);
    const lostMs = performance.now() - startedMs;
    expect(lostMs).toBeLessThan(TIMEOUT_MS + 1_500);
    proxy.fault = 'none';
    const backMs = await untilWhole();
    process.stdout.write(
      `${fault}: answered in ${lostMs.toFixed(0)} ms, whole ${backMs.toFixed(0)} ms after its end\n`,
    );
  });
});

describe('a subgraph that accepts and never answers, under load', () => {
  it('is left alone after a while, so that pages come at once, and is back after a probe', async () => {
    proxy.fault = 'never answers';
    const storm = await Promise.all(Array.from({ length: 30 }, (_, i) => page(3 + i)));
    for (const answer of storm)
      expectOnlyProductsLost(answer, ['SUBGRAPH_DEADLINE_EXCEEDED', 'SUBGRAPH_CIRCUIT_OPEN']);
    await until('an open circuit', 5_000, async () => {
      const { errors } = await page();
      return errors[0]?.extensions?.code === 'SUBGRAPH_CIRCUIT_OPEN';
    });
    expect(
      await metric(graph.metrics['gateway'] ?? '', 'sextant_gateway_subgraph_breaker_state', {
        subgraph: 'campaign',
      }),
    ).toBeGreaterThan(0);
    proxy.requests = 0;
    const answers = await load<Page>({
      ...{ perSecond: 20, seconds: 3, url: graph.url, token },
      question: (n) => ({ query: PAGE, variables: { ref: 'shop:ann', first: 3 + (n % 90) } }),
    });
    for (const { answer } of answers)
      expectOnlyProductsLost(answer, ['SUBGRAPH_DEADLINE_EXCEEDED', 'SUBGRAPH_CIRCUIT_OPEN']);
    const atOnce = answers.filter(({ tookMs }) => tookMs < TIMEOUT_MS / 2).length;
    expect(atOnce).toBeGreaterThan(answers.length * 0.8);
    expect(proxy.requests).toBeLessThanOrEqual(4); // probes
    proxy.fault = 'none';
    const backMs = await untilWhole();
    process.stdout.write(
      `circuit: ${atOnce} of ${answers.length} pages at once, ${proxy.requests} probes, whole after ${backMs.toFixed(0)} ms\n`,
    );
  });
});

describe('a subgraph is killed under load', () => {
  it('costs its fields while it is away, and nothing 5 s after it is back', async () => {
    const running = load<Page>({
      ...{ perSecond: 10, seconds: 14, url: graph.url, token },
      question: (n) => ({ query: PAGE, variables: { ref: 'shop:ann', first: 3 + (n % 90) } }),
    });
    await until('some load', 5_000, async () => (await page()).data);
    const killedAt = Date.now();
    graph.killSubgraph('prediction');
    await until('its loss', 5_000, async () => (await page()).errors.length > 0);
    await graph.reviveSubgraph('prediction');
    const backAt = Date.now();
    const answers = await running;
    await untilWhole();
    expect(answers).toHaveLength(140);
    for (const { answer } of answers) {
      expect(answer.data?.customer?.ref).toBe('shop:ann');
      expect(answer.data?.products?.nodes).toHaveLength(3);
      for (const { path, extensions } of answer.errors) {
        expect(path).toEqual(['customer', 'leadScore']);
        expect(extensions?.code).toMatch(/^SUBGRAPH_(UNAVAILABLE|CIRCUIT_OPEN)$/);
      }
    }
    const lost = answers.filter(({ answer }) => answer.errors.length > 0);
    expect(lost.length).toBeGreaterThan(0);
    const lastLostAt = Math.max(...lost.map(({ askedAt }) => askedAt));
    expect(lastLostAt).toBeLessThan(backAt + 5_000);
    process.stdout.write(
      `killed: away ${backAt - killedAt} ms, ${lost.length} of 140 pages without a score, the last ${lastLostAt - backAt} ms after the return\n`,
    );
  });
});

describe('what is declared cacheable', () => {
  it('outlives its subgraph', async () => {
    const query = '{ product(id: "p1") { id title } }';
    const before = await askOk(graph.url, token, query);
    proxy.fault = 'resets';
    expect(await ask(graph.url, token, query)).toEqual({ status: 200, data: before, errors: [] });
  });
});
