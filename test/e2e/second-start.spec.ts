import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, askOk } from '../support/graph.js';
import { type RunningSextant, startSextant } from '../support/running-sextant.js';

const SECOND_START_LIMIT_S = 60;
const KEYS = ['jwt-private.json', 'signing-secret'];
const EVENT = {
  id: 'second-start-1',
  type: 'page_visit',
  at: '2026-01-31T12:00:00Z',
  customerRef: 'shop:second-start',
  properties: { channel: 'web' },
};

describe('a second start on the same data, on other ports', () => {
  let dataDir: string;
  let first: { tokens: Record<string, string>; keys: string[]; url: string };
  let sextant: RunningSextant | null = null;

  const keys = (): Promise<string[]> =>
    Promise.all(KEYS.map((file) => readFile(join(dataDir, 'keys', file), 'utf8')));

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sextant-second-'));
    sextant = await startSextant({ dataDir, args: ['--empty'] });
    const { graphql, tokens } = sextant.access;
    first = { tokens, keys: await keys(), url: graphql };
    const { ingestEvents } = await askOk<{ ingestEvents: { accepted: number } }>(
      graphql,
      tokens.operator,
      'mutation ($events: [EventInput!]!) { ingestEvents(events: $events) { accepted } }',
      { events: [EVENT] },
    );
    expect(ingestEvents.accepted).toBe(1);
    await sextant.stop();
    sextant = null;
    sextant = await startSextant({ dataDir, args: ['--empty'] });
  });
  afterAll(async () => {
    await sextant?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it(`is ready in under ${SECOND_START_LIMIT_S} s`, () => {
    console.info(`second start: ready after ${sextant?.startSeconds.toFixed(1)} s`);
    expect(sextant?.startSeconds).toBeLessThan(SECOND_START_LIMIT_S);
  });

  it('has the keys of the first, so that its tokens still open the graph, and what they stored is there', async () => {
    expect(await keys()).toEqual(first.keys);
    const answer = await ask<{ customer: { id: string } | null }>(
      sextant?.access.graphql ?? '',
      first.tokens['operator'] ?? '',
      'query ($ref: ID!) { customer(ref: $ref) { id } }',
      { ref: EVENT.customerRef },
    );
    expect(answer.errors).toEqual([]);
    expect(answer.data?.customer?.id).toMatch(/^cus_[0-9a-f]{24}$/);
  });

  it('has left nothing of the first behind', async () => {
    if (new URL(sextant?.access.graphql ?? '').port === new URL(first.url).port) return;
    await expect(fetch(first.url)).rejects.toThrow(/fetch failed/);
  });
});
