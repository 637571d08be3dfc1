import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/graph.js';
import { issueToken, type RunningSextant, startSextant } from '../support/running-sextant.js';

const EVENTS = Number(process.env['SEXTANT_BULK_EVENTS'] ?? 1_000_000);
const ROOT = join(import.meta.dirname, '../..');
const TENANT = 'bulk';

describe(`${EVENTS.toLocaleString('en')} simulated events`, () => {
  let sextant: RunningSextant;
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sextant-bulk-'));
    await runNode('simulator/dist/main.js', [
      '--customers',
      String(Math.ceil(EVENTS / 58)),
      '--seed',
      '7',
      '--out',
      folder,
    ]);
    sextant = await startSextant({ args: ['--empty'] });
  });
  afterAll(async () => {
    await sextant.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('go through the graph with exact counts, at no less than half the rate of the driver alone', async () => {
    const client = new MongoClient(sextant.access.mongodb);
    const token = await issueToken(sextant.dataDir, { tenant: TENANT, role: 'operator' });
    const throughGraph = await throughTheGraph(await firstBatches(), sextant.access.graphql, token);
    expect(throughGraph).toMatchObject({ accepted: EVENTS, duplicates: 0, rejected: 0 });
    const events = client.db().collection('events');
    expect(await events.countDocuments({ tenantId: TENANT })).toBe(EVENTS);

    const throughDriver = await throughTheDriver(client);
    const ratio = throughDriver.seconds / throughGraph.seconds;
    const rate = (seconds: number) => Math.round(EVENTS / seconds).toLocaleString('en');
    console.log(
      `ingest: graph ${rate(throughGraph.seconds)}/s, insertMany ${rate(throughDriver.seconds)}/s, ratio ${ratio.toFixed(2)} (bar 0.5)`,
    );
    await client.close();
    expect(ratio).toBeGreaterThanOrEqual(0.5);
  }, 900_000);

  /**
   * The same documents again, as they lie in the store, by the native driver on the same mongod: as many calls in flight, the
   * same write concern, no index but the one on _id, and nothing else going on.
   */
  async function throughTheDriver(client: MongoClient): Promise<{ seconds: number }> {
    await until(
      'features folded',
      300_000,
      async () => (await client.db().collection('fold_outbox').countDocuments()) === 0,
    );
    const copy = client.db('driver_only').collection<{ _id: string }>('events');
    const cursor = client.db().collection<{ _id: string }>('events').find({ tenantId: TENANT });
    let seconds = 0;
    for (let more = true; more;) {
      const batches: { _id: string }[][] = [];
      while (batches.length < 50 && more) {
        const batch: { _id: string }[] = [];
        while (batch.length < BATCH && more) {
          const next = await cursor.next();
          if (next) batch.push(next);
          more = next !== null;
        }
        if (batch.length > 0) batches.push(batch);
      }
      seconds += await insertAll(copy, batches);
    }
    expect(await copy.countDocuments()).toBe(EVENTS);
    await client.db('driver_only').dropDatabase();
    return { seconds };
  }

  /** Request bodies are made beforehand: a client's work is not ours. */
  async function firstBatches(): Promise<string[]> {
    const bodies: string[] = [];
    let lines: string[] = [];
    let taken = 0;
    for await (const line of createInterface({ input: createReadStream(join(folder, 'events.ndjson')) })) {
      if (taken === EVENTS) break;
      lines.push(line);
      taken += 1;
      if (lines.length < BATCH) continue;
      bodies.push(bodyOf(lines));
      lines = [];
    }
    if (lines.length > 0) bodies.push(bodyOf(lines));
    if (taken < EVENTS) throw new Error(`the simulator made ${taken} events only`);
    return bodies;
  }
});

const BATCH = 2_000;
const IN_FLIGHT = 3;
const MUTATION =
  'mutation ($events: [EventInput!]!) { ingestEvents(events: $events) { accepted duplicates rejected { id code } } }';

function bodyOf(lines: string[]): string {
  return `{"query":${JSON.stringify(MUTATION)},"variables":{"events":[${lines.join(',')}]}}`;
}

async function throughTheGraph(bodies: string[], url: string, token: string) {
  const total = { accepted: 0, duplicates: 0, rejected: 0, seconds: 0 };
  const queue = bodies.values();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const send = async (): Promise<void> => {
    for (const body of queue) {
      const response = await fetch(url, { method: 'POST', headers, body });
      const { data, errors } = (await response.json()) as {
        data?: { ingestEvents: { accepted: number; duplicates: number; rejected: unknown[] } };
        errors?: unknown;
      };
      if (!data) throw new Error(`ingestion failed: ${JSON.stringify(errors).slice(0, 500)}`);
      total.accepted += data.ingestEvents.accepted;
      total.duplicates += data.ingestEvents.duplicates;
      total.rejected += data.ingestEvents.rejected.length;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, send));
  total.seconds = (performance.now() - started) / 1000;
  return total;
}

/** @returns seconds */
async function insertAll(
  collection: Collection<{ _id: string }>,
  batches: { _id: string }[][],
): Promise<number> {
  const queue = batches.values();
  const insert = async (): Promise<void> => {
    for (const batch of queue)
      await collection.insertMany(batch, { ordered: false, writeConcern: { w: 'majority', journal: true } });
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, insert));
  return (performance.now() - started) / 1000;
}

async function runNode(script: string, args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-1_000)));
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${complaint}`);
}
