import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, askOk, type GraphAnswer, until } from '../support/graph.js';
import { issueToken, type RunningSextant, startSextant } from '../support/running-sextant.js';
import { killHard, pidOf, untilBack } from './fault-harness.js';

const INGEST =
  'mutation ($events: [EventInput!]!) { ingestEvents(events: $events) { accepted duplicates rejected { id } } }';
const TENANT = 'durable';
/** The configured limit of a store operation, and as much again for the way there and back. */
const DEADLINE_MS = 10_000;

interface Ingested {
  ingestEvents: { accepted: number; duplicates: number; rejected: unknown[] };
}

function batch(n: number, size: number) {
  return Array.from({ length: size }, (_, i) => ({
    id: `batch-${n}-${i}`,
    type: 'page_visit',
    at: new Date(Date.now() - 60_000).toISOString(),
    customerRef: `shop:${i % 37}`,
    properties: { channel: 'search', device: 'phone' },
  }));
}

describe('mongod is killed while events are written', () => {
  let sextant: RunningSextant;
  beforeAll(async () => {
    sextant = await startSextant({ args: ['--empty'] });
  });
  afterAll(() => sextant.stop());

  it('answers with clear errors in time, recovers alone, and loses or doubles no event', async () => {
    const { graphql } = sextant.access;
    const token = await issueToken(sextant.dataDir, { tenant: TENANT, role: 'operator' });
    const size = 200;
    const acknowledged = new Set<number>();
    const failures: { answer: GraphAnswer<Ingested>; tookMs: number }[] = [];
    let stop = false;
    let next = 0;
    const write = async (): Promise<void> => {
      while (!stop) {
        const n = next++;
        const askedAt = Date.now();
        const answer = await ask<Ingested>(graphql, token, INGEST, { events: batch(n, size) });
        if (answer.errors.length > 0) failures.push({ answer, tookMs: Date.now() - askedAt });
        else if (
          (answer.data?.ingestEvents.accepted ?? 0) + (answer.data?.ingestEvents.duplicates ?? 0) ===
          size
        )
          acknowledged.add(n);
      }
    };
    const writers = [write(), write()];
    try {
      await until('20 batches', 60_000, () => Promise.resolve(acknowledged.size >= 20));
      // A store that is back at once is not even noticed, for the driver tries again: the launcher pauses, so that it stays away.
      const launcher = await pidOf(sextant, 'launcher');
      process.kill(launcher, 'SIGSTOP');
      const died = await killHard(sextant, 'mongod');
      await until('an error', 30_000, () => Promise.resolve(failures.length > 0)).finally(() =>
        process.kill(launcher, 'SIGCONT'),
      );
      await untilBack(sextant, 'mongod', died, null);
      const atReturn = acknowledged.size;
      await until('writes after the return, with no restart', 60_000, () =>
        Promise.resolve(acknowledged.size >= atReturn + 5),
      );
    } finally {
      stop = true;
      await Promise.allSettled(writers);
    }
    await Promise.all(writers);

    for (const { answer, tookMs } of failures) {
      expect(answer.errors[0]?.extensions?.code).toMatch(/^STORE_(UNAVAILABLE|DEADLINE_EXCEEDED)$/);
      expect(tookMs).toBeLessThan(DEADLINE_MS);
    }
    const counted = async (): Promise<number> => countEvents(sextant, TENANT);
    expect(await counted()).toBeGreaterThanOrEqual(acknowledged.size * size);
    for (let n = 0; n < next; n += 1) {
      const { ingestEvents } = await askOk<Ingested>(graphql, token, INGEST, { events: batch(n, size) });
      if (acknowledged.has(n)) expect(ingestEvents).toEqual({ accepted: 0, duplicates: size, rejected: [] });
      else expect(ingestEvents.accepted + ingestEvents.duplicates).toBe(size);
    }
    expect(await counted()).toBe(next * size);
  });

  it('tells a reader what is wrong, in time, and answers again', async () => {
    const { graphql } = sextant.access;
    const token = await issueToken(sextant.dataDir, { tenant: TENANT, role: 'operator' });
    const query = '{ customers(first: 5) { nodes { id } } }';
    const died = await killHard(sextant, 'mongod');
    const startedAt = Date.now();
    const { data, errors } = await ask<{ customers: unknown }>(graphql, token, query);
    const recovered = data?.customers != null;
    if (!recovered) expect(errors[0]?.extensions?.code).toMatch(/^STORE_/);
    expect(Date.now() - startedAt).toBeLessThan(DEADLINE_MS);
    await untilBack(sextant, 'mongod', died, null);
    await until('an answer', 20_000, async () => (await ask(graphql, token, query)).errors.length === 0);
  });
});

/** Counted in the store itself: what was acknowledged has to be there. */
async function countEvents(sextant: RunningSextant, tenantId: string): Promise<number> {
  const client = new MongoClient(sextant.access.mongodb);
  return client
    .db()
    .collection('events')
    .countDocuments({ tenantId })
    .finally(() => client.close());
}
