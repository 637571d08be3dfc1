import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';

const LIMIT_MS = 120_000;
const QUERY = `query Score($ref: ID!) {
  customer(ref: $ref) { ref leadScore(budgetMs: 5000) { servedBy { rung fallbackReason } } } }`;

interface Answer {
  data?: { customer: { ref: string; leadScore: { servedBy: { rung: string; fallbackReason: string } } } };
  errors?: { extensions: { code: string } }[];
}

/** A worker that takes calls, and never answers one: what the client said about its deadline is kept. */
async function aStalledWorker() {
  const timeoutsMs: number[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server: Http2Server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    timeoutsMs.push(milliseconds(String(headers['grpc-timeout'] ?? '')));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    timeoutsMs,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop(): Promise<void> {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A gRPC TimeoutValue with its TimeoutUnit; NaN where a call has no deadline. */
function milliseconds(timeout: string): number {
  const [, amount = '', unit = ''] = /^(\d+)([HMSmun])$/.exec(timeout) ?? [];
  const factor: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
  return Number(amount || NaN) * (factor[unit] ?? NaN);
}

describe('how long a client will wait', () => {
  let graph: RunningGraph;
  let worker: Awaited<ReturnType<typeof aStalledWorker>>;
  let token: string;
  beforeAll(async () => {
    worker = await aStalledWorker();
    graph = await startGraph({ env: { INFERENCE_URL: worker.address, LOG_LEVEL: 'silent' } });
    token = await graph.tokenOf('operator');
    const event = {
      ...{ id: 'e1', type: 'product_view', at: new Date().toISOString(), customerRef: 'shop:ann' },
      properties: { productId: 'p1', price: '9.99', currency: 'EUR' },
    };
    const ingest = 'mutation ($e: [EventInput!]!) { ingestEvents(events: $e) { accepted } }';
    await askOk(graph.url, token, ingest, { e: [event] });
  }, LIMIT_MS);
  afterAll(async () => {
    await graph?.stop();
    await worker?.stop();
  }, LIMIT_MS);

  async function score(headers: Record<string, string>): Promise<Answer & { tookMs: number }> {
    const startedMs = performance.now();
    const response = await fetch(graph.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify({ query: QUERY, variables: { ref: 'shop:ann' } }),
    });
    const answer = (await response.json()) as Answer;
    return { ...answer, tookMs: performance.now() - startedMs };
  }

  it('reaches the worker as the deadline of the call, and a rule answers in time', async () => {
    worker.timeoutsMs.length = 0;
    const { data, errors, tookMs } = await score({ 'x-deadline-ms': '1500' });
    expect(errors).toBeUndefined();
    expect(data?.customer.leadScore.servedBy).toEqual({
      rung: 'HEURISTIC',
      fallbackReason: 'INFERENCE_DEADLINE_EXCEEDED',
    });
    expect(tookMs).toBeLessThan(2_500);
    expect(worker.timeoutsMs.length).toBeGreaterThan(0);
    for (const timeoutMs of worker.timeoutsMs) {
      expect(timeoutMs).toBeLessThan(1_500);
      expect(timeoutMs).toBeGreaterThan(0);
    }
  });

  it('is the budget of the query where that is shorter', async () => {
    worker.timeoutsMs.length = 0;
    const { errors } = await score({});
    expect(errors).toBeUndefined();
    const longest = Math.max(...worker.timeoutsMs);
    expect(longest).toBeGreaterThan(1_500);
    expect(longest).toBeLessThanOrEqual(5_000);
  });

  it('ends with a code where even that is too short', async () => {
    const { data, errors, tookMs } = await score({ 'x-deadline-ms': '1' });
    expect(data?.customer ?? null).toBeNull();
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['SUBGRAPH_DEADLINE_EXCEEDED']);
    expect(tookMs).toBeLessThan(1_000);
  });
});
