import { join } from 'node:path';
import { freePort } from '@sextant/local-services';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askOk } from '../support/graph.js';
import {
  AUDIT_SECRET,
  endProcess,
  type RunningGraph,
  SECRET,
  startGraph,
  startProcess,
  untilReady,
} from './graph-processes.js';

/** Far below the ten seconds for which the answer may be kept. */
const LATEST_MS = 4_000;

let graph: RunningGraph;
let token: string;
let second: { url: string; metrics: string; child: ReturnType<typeof startProcess>['child'] };

beforeAll(async () => {
  graph = await startGraph();
  token = await graph.tokenOf('operator');
  second = await secondGateway();
});
afterAll(async () => {
  if (second) await endProcess(second.child);
  await graph?.stop();
});

/** Another process over the same subgraphs and store. */
async function secondGateway() {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const { customer, campaign, prediction } = graph.subgraphs;
  const { child } = startProcess('gateway', {
    ...{ PORT: port, METRICS_PORT: metricsPort, LOG_LEVEL: 'error', MONGODB_URI: graph.mongoUri },
    ...{ SEXTANT_SIGNING_SECRET: SECRET, SEXTANT_AUDIT_SECRET: AUDIT_SECRET },
    SEXTANT_JWKS: join(graph.dataDir, 'jwks.json'),
    ...{ CUSTOMER_URL: customer, CAMPAIGN_URL: campaign, PREDICTION_URL: prediction },
  });
  await untilReady(`http://127.0.0.1:${metricsPort}/health/ready`);
  const [url, metrics] = [`http://127.0.0.1:${port}/graphql`, `http://127.0.0.1:${metricsPort}/metrics`];
  return { url, metrics, child };
}

async function until(holds: () => Promise<boolean>, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function metric(url: string, line: string): Promise<number> {
  const text = await (await fetch(url)).text();
  return Number(
    text
      .split('\n')
      .find((one) => one.startsWith(line))
      ?.split(' ')
      .at(-1) ?? 0,
  );
}

const rename = (title: string) =>
  askOk(graph.url, token, 'mutation ($p: [ProductInput!]!) { upsertProducts(products: $p) { upserted } }', {
    p: [{ id: 'p1', title }],
  });
async function titleAt(url: string): Promise<string> {
  const { product } = await askOk<{ product: { title: string } }>(
    url,
    token,
    '{ product(id: "p1") { title } }',
  );
  return product.title;
}

it('a change of the catalogue is seen by a gateway that did not run it, before what it keeps is old', async () => {
  for (const metrics of [graph.metrics['gateway'] ?? '', second.metrics])
    await until(async () => (await metric(metrics, 'sextant_gateway_cache_hears_others')) === 1, 10_000);
  await rename('First');
  await until(async () => (await titleAt(second.url)) === 'First', LATEST_MS);
  const hits = () =>
    metric(second.metrics, 'sextant_gateway_cache_lookups_total{subgraph="campaign",outcome="hit"}');
  const before = await hits();
  expect(await titleAt(second.url)).toBe('First');
  await until(async () => {
    await titleAt(second.url);
    return (await hits()) > before;
  }, LATEST_MS);
  await rename('Second');
  expect(await titleAt(graph.url)).toBe('Second');
  await until(async () => (await titleAt(second.url)) === 'Second', LATEST_MS);
});
