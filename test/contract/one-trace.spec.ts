import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk, until } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';

interface Span {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

interface Export {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: Omit<Span, 'service'>[] }[];
  }[];
}

/** What a person would know themselves by; none of it may be in a log or a span. */
const PERSONAL = {
  ref: 'crm:anna.muster@example.com',
  email: 'anna.muster@example.com',
  name: 'Anna-Maria Mustermann-Musterfrau',
  phone: '+49 170 5550199',
};
const spans: Span[] = [];
/** exports as they came, attributes included */
const exported: string[] = [];
let logs: string;
let receiver: Server;
let graph: RunningGraph;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      exported.push(Buffer.concat(chunks).toString());
      const body = JSON.parse(exported.at(-1) ?? '') as Export;
      for (const { resource, scopeSpans } of body.resourceSpans) {
        const service =
          resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
        spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service }))));
      }
      response.end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port } = receiver.address() as AddressInfo;
  logs = join(await mkdtemp(join(tmpdir(), 'sextant-logs-')), 'all.ndjson');
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
    LOG_LEVEL: 'debug',
    TEST_LOG: logs,
    SEXTANT_SLOW_OPERATION_MS: '0',
  };
  graph = await startGraph({ env, withWorker: true });
});
afterAll(async () => {
  await graph?.stop();
  receiver?.close();
  await rm(dirname(logs), { recursive: true, force: true });
});

const WATCH = 'subscription Watch { segmentChanges { cursor } }';

/** Begin a subscription within a client's trace, and tell how to leave it. */
const BEGIN = {
  async sse(token: string, traceparent: string): Promise<() => void> {
    const leaving = new AbortController();
    const headers = { accept: 'text/event-stream', 'content-type': 'application/json', traceparent };
    const response = await fetch(graph.url, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: WATCH }),
      signal: leaving.signal,
    });
    expect(response.status).toBe(200);
    return () => leaving.abort();
  },
  async websocket(token: string, traceparent: string): Promise<() => void> {
    const socket = new WebSocket(graph.url.replace('http', 'ws'), 'graphql-transport-ws');
    const send = (message: object) => socket.send(JSON.stringify(message));
    await once(socket, 'open');
    send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
    const [acknowledged] = (await once(socket, 'message')) as [{ data: unknown }];
    expect(JSON.parse(String(acknowledged.data))).toEqual({ type: 'connection_ack' });
    send({ id: '1', type: 'subscribe', payload: { query: WATCH, extensions: { traceparent } } });
    return () => socket.close();
  },
};

describe('a question to the graph', () => {
  it('is one trace, from the client through gateway and prediction to the worker', async () => {
    const token = await graph.tokenOf('web');
    const ref = `shop:${randomUUID()}`;
    const event = {
      id: randomUUID(),
      type: 'product_view',
      at: new Date().toISOString(),
      customerRef: ref,
      properties: { productId: 'p1', price: '9.99', currency: 'EUR' },
    };
    const ingest = 'mutation ($events: [EventInput!]!) { ingestEvents(events: $events) { accepted } }';
    await askOk(graph.url, await graph.tokenOf('web'), ingest, { events: [event] });
    const traceId = randomUUID().replaceAll('-', '');
    const query = `query Slate($ref: ID!) { customer(ref: $ref) { recommendations(slot: "home", budgetMs: 5000) {
      servedBy { rung } } } }`;
    const response = await fetch(graph.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        traceparent: `00-${traceId}-b7ad6b7169203331-01`,
      },
      body: JSON.stringify({ query, operationName: 'Slate', variables: { ref } }),
    });
    expect(await response.json()).toMatchObject({ data: { customer: { recommendations: {} } } });

    const ofTrace = (): Span[] => spans.filter((span) => span.traceId === traceId);
    const find = (service: string, name: string): Span | undefined =>
      ofTrace().find((span) => span.service === service && span.name === name);
    await until('the spans', 15_000, async () => {
      const services = new Set(ofTrace().map(({ service }) => service));
      return services.has('gateway') && services.has('prediction') && services.has('inference-worker');
    });
    await until('the root', 5_000, async () => find('gateway', 'POST /graphql'));

    const path = [
      find('inference-worker', 'sextant.inference.v1.Decisions/Recommend'),
      find('prediction', 'inference Recommend'),
      find('prediction', 'POST /graphql'),
      find('gateway', 'subgraph prediction'),
      find('gateway', 'POST /graphql'),
    ];
    expect(path.map((span) => span?.parentSpanId)).toEqual([
      ...path.slice(1).map((span) => span?.spanId),
      'b7ad6b7169203331',
    ]);
    const root = find('gateway', 'POST /graphql')?.spanId;
    const steps = ['graphql prepare', 'graphql plan'].map((name) => find('gateway', name)?.parentSpanId);
    expect(steps).toEqual([root, root]);
  });

  it.each(['sse', 'websocket'] as const)(
    'is a trace of the client, too, where it begins a subscription over %s: until that stands, and not for longer',
    async (protocol) => {
      const traceId = randomUUID().replaceAll('-', '');
      const leave = await BEGIN[protocol](
        await graph.tokenOf('operator'),
        `00-${traceId}-b7ad6b7169203331-01`,
      );
      const found = () => spans.find((span) => span.traceId === traceId && span.name === 'stream /graphql');
      await until('the span of the open stream', 15_000, async () => found() !== undefined);
      leave();
      const { service, parentSpanId, attributes } = found() ?? {};
      expect([service, parentSpanId]).toEqual(['gateway', 'b7ad6b7169203331']);
      const told = Object.fromEntries((attributes ?? []).map(({ key, value }) => [key, value.stringValue]));
      expect(told).toMatchObject({
        'sextant.stream.protocol': protocol,
        'sextant.tenant': 'demo',
        'graphql.outcome': 'ok',
        'graphql.operation.type': 'subscription',
        'graphql.operation.name': 'Watch',
      });
    },
  );

  it('leaves nothing personal in logs, spans and metrics, whether it is answered or refused', async () => {
    const token = await graph.tokenOf('operator');
    const ask = (query: string, variables: object, headers: Record<string, string> = {}) =>
      fetch(graph.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
        body: JSON.stringify({ query, variables }),
      }).then((response) => response.json());
    const profile = {
      id: randomUUID(),
      type: 'profile_update',
      at: new Date().toISOString(),
      customerRef: PERSONAL.ref,
      properties: { email: PERSONAL.email, name: PERSONAL.name, phone: PERSONAL.phone },
    };
    const ingest =
      'mutation Personal($events: [EventInput!]!) { ingestEvents(events: $events) { accepted } }';
    const found = 'query Personal($ref: ID!) { customer(ref: $ref) { id traits } }';
    await ask(ingest, { events: [profile] });
    await ask(ingest, { events: [{ ...profile, at: PERSONAL.name }] });
    await ask(ingest, { events: PERSONAL.email });
    await ask(found, { ref: PERSONAL.ref }, { 'apollographql-client-name': PERSONAL.email });
    await ask(found, { ref: { name: PERSONAL.name } });
    await ask(`{ customer(ref: "${PERSONAL.ref}") { id unknown } }`, {});
    await ask(`{ customer(ref: "${PERSONAL.ref}`, {}, { 'x-request-id': PERSONAL.phone });
    await ask(`query Last { customer(ref: "${PERSONAL.ref}") { id } }`, {});
    const pages = Promise.all(
      Object.values(graph.metrics).map((url) => fetch(url).then((page) => page.text())),
    );
    await until('the log of the last', 10_000, async () => (await readFile(logs, 'utf8')).includes('"Last"'));
    await until('its span', 10_000, async () => exported.some((text) => text.includes('"Last"')));

    const written = await readFile(logs, 'utf8');
    expect(written).toMatch(
      /"requestId":"[\w-]+".*"operation":"Personal".*"hash":"[\da-f]{64}".*"durationMs":/,
    );
    for (const text of [written, exported.join('\n'), (await pages).join('\n')]) {
      for (const value of [...Object.values(PERSONAL), token]) expect(text).not.toContain(value);
    }
  });
});
