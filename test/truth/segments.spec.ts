import { adjustedRandIndex } from '@sextant/learning/segment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningGraph, startGraph } from '../contract/graph-processes.js';
import { askOk, until } from '../support/graph.js';
import { type SimulatedFiles, simulatedFiles } from './simulated-truth.js';

const BATCH = 5_000;
const LIMIT_MS = 200_000;

interface Discovery {
  state: string;
  because: string;
  failure: { message: string } | null;
}

interface Page {
  nodes: { ref: string; segments: { segment: { id: string; kind: string } }[] }[];
  endCursor: string | null;
  hasNextPage: boolean;
}

let graph: RunningGraph;
let files: SimulatedFiles;
let token: string;
beforeAll(async () => {
  [graph, files] = await Promise.all([startGraph(), simulatedFiles({ customers: '2500' })]);
  token = await graph.tokenOf('operator');
}, LIMIT_MS);
afterAll(async () => {
  await graph?.stop();
  await files?.remove();
});

async function ingestAll(): Promise<void> {
  let batch: unknown[] = [];
  const send = async (): Promise<void> => {
    const events = batch;
    batch = [];
    const query = 'mutation($e:[EventInput!]!){ ingestEvents(events:$e){ rejected{ code message } } }';
    const { ingestEvents } = await askOk<{ ingestEvents: { rejected: unknown[] } }>(graph.url, token, query, {
      e: events,
    });
    expect(ingestEvents.rejected).toEqual([]);
  };
  for await (const event of files.events()) {
    batch.push(event);
    if (batch.length === BATCH) await send();
  }
  if (batch.length > 0) await send();
  await until('the features', LIMIT_MS, async () => {
    const query = '{ ingestionStatus{ pendingBatches } }';
    const { ingestionStatus } = await askOk<{ ingestionStatus: { pendingBatches: number } }>(
      graph.url,
      token,
      query,
    );
    return ingestionStatus.pendingBatches === 0;
  });
}

async function discover(): Promise<Discovery> {
  const query = 'mutation{ discoverSegments{ userErrors{ message } } }';
  const { discoverSegments } = await askOk<{ discoverSegments: { userErrors: unknown[] } }>(
    graph.url,
    token,
    query,
  );
  expect(discoverSegments.userErrors).toEqual([]);
  return until('the discovery', LIMIT_MS, async () => {
    const { segmentDiscovery } = await askOk<{ segmentDiscovery: Discovery }>(
      graph.url,
      token,
      '{ segmentDiscovery{ state because failure{ message } } }',
    );
    return segmentDiscovery.state !== 'RUNNING' && segmentDiscovery;
  });
}

/** The cluster of each customer who has one, by ref. */
async function clusters(): Promise<{ byRef: Map<string, string>; customers: number }> {
  const byRef = new Map<string, string>();
  let customers = 0;
  let after: string | null = null;
  for (;;) {
    const query =
      'query($after:String){ customers(first:15, after:$after){ nodes{ ref segments{ segment{ id kind } } } endCursor hasNextPage } }';
    const { customers: page }: { customers: Page } = await askOk(graph.url, token, query, { after });
    for (const { ref, segments } of page.nodes) {
      customers++;
      const cluster = segments.find(({ segment }) => segment.kind === 'CLUSTER');
      if (cluster) byRef.set(ref, cluster.segment.id);
    }
    if (!page.hasNextPage) return { byRef, customers };
    after = page.endCursor;
  }
}

describe('segments discovered in a simulated company', () => {
  it(
    'are the true types of its customers: adjusted Rand index of at least 0.8',
    { timeout: LIMIT_MS },
    async () => {
      await ingestAll();
      const discovery = await discover();
      expect(discovery).toMatchObject({ state: 'SUCCEEDED', failure: null });
      const { byRef, customers } = await clusters();
      const pairs: [type: string, cluster: string][] = [];
      const types = new Set<string>();
      for await (const line of files.truth()) {
        if (line['kind'] !== 'customer') continue;
        types.add(String(line['type']));
        const cluster = byRef.get(String(line['customerRef']));
        if (cluster !== undefined) pairs.push([String(line['type']), cluster]);
      }
      const numbered = (values: readonly string[]) => {
        const distinct = [...new Set(values)];
        return values.map((value) => distinct.indexOf(value));
      };
      const index = adjustedRandIndex(
        numbered(pairs.map(([type]) => type)),
        numbered(pairs.map(([, cluster]) => cluster)),
      );
      process.stdout.write(
        `segments: adjusted Rand index ${index.toFixed(3)} over ${pairs.length} of ${customers} customers; ${discovery.because}\n`,
      );
      const found = new Set(pairs.map(([, cluster]) => cluster)).size;
      expect(Math.abs(found - types.size)).toBeLessThanOrEqual(1);
      expect(pairs.length / customers).toBeGreaterThan(0.8);
      expect(index).toBeGreaterThanOrEqual(0.8);
    },
  );
});
