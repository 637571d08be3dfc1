import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk, until } from '../support/graph.js';
import { type RunningGraph, startGraph } from './graph-processes.js';

interface Span {
  service: string;
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
}

interface Export {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: Omit<Span, 'service'>[] }[];
  }[];
}

const spans: Span[] = [];
let receiver: Server;
let graph: RunningGraph;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Export;
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
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
  graph = await startGraph({ env, withWorker: true });
});
afterAll(async () => {
  await graph?.stop();
  receiver?.close();
});

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
  });
});
