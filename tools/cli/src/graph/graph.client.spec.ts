import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphClient } from './graph.client.js';
import { RecordingGateway, type Trouble } from './recording-gateway.fixture.js';

const rows = ['{"id":"1","type":"x"}', '{"id":"2","type":"x"}'];
let gateway: RecordingGateway;
let url: string;
const retries: string[] = [];

beforeEach(async () => {
  gateway = new RecordingGateway();
  url = await gateway.listen();
  retries.length = 0;
});
afterEach(() => gateway.close());

const client = (patienceMs = 10_000) =>
  new GraphClient({
    url,
    token: () => Promise.resolve('t'),
    patienceMs,
    onRetry: (reason) => retries.push(reason),
  });

describe('GraphClient', () => {
  it.each<[string, Trouble[]]>([
    ['the gateway is not ready', [{ status: 503 }, { status: 502 }]],
    ['the connection breaks', ['cut']],
    ['the store is away', [{ code: 'STORE_UNAVAILABLE' }]],
    ['a subgraph does not answer', [{ code: 'SUBREQUEST_HTTP_ERROR' }]],
    ['a queue is full', [{ code: 'QUEUE_FULL', status: 429 }]],
  ])('tries again when %s', async (_, troubles) => {
    gateway.troubles.push(...troubles);
    await expect(client().ingestEvents(rows)).resolves.toMatchObject({ accepted: 2, duplicates: 0 });
    expect(retries).toHaveLength(troubles.length);
    expect(gateway.tokens[0]).toBe('Bearer t');
  });

  it('doubles nothing when the answer was lost after the rows were stored', async () => {
    gateway.troubles.push('cut-after-storing');
    await expect(client().ingestEvents(rows)).resolves.toMatchObject({ accepted: 0, duplicates: 2 });
    expect(gateway.events.size).toBe(2);
  });

  it('waits as long as the gateway asks for', async () => {
    gateway.troubles.push({ status: 429, headers: { 'retry-after': '1' } });
    const started = Date.now();
    await client().ingestEvents(rows);
    expect(Date.now() - started).toBeGreaterThanOrEqual(990);
  });

  it('gives up with GATEWAY_UNAVAILABLE when its patience is over, naming the last reason', async () => {
    await gateway.close();
    await expect(client(700).ingestEvents(rows)).rejects.toMatchObject({
      code: 'GATEWAY_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(retries.length).toBeGreaterThan(0);
  });

  it.each<[Trouble, string]>([
    [{ code: 'UNAUTHENTICATED', status: 401 }, 'UNAUTHENTICATED'],
    [{ code: 'FORBIDDEN' }, 'FORBIDDEN'],
    [{ code: 'GRAPHQL_VALIDATION_FAILED', status: 400 }, 'GATEWAY_REFUSED'],
    [{ status: 404 }, 'GATEWAY_REFUSED'],
    [{ status: 413 }, 'BATCH_TOO_LARGE'],
  ])('does not repeat what no repetition cures: %j is %s', async (trouble, code) => {
    gateway.troubles.push(trouble);
    await expect(client().ingestEvents(rows)).rejects.toMatchObject({ code });
    expect(retries).toEqual([]);
  });
});
