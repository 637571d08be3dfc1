import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askOk, until } from '../support/graph.js';
import { issueToken, type RunningSextant, startSextant } from '../support/running-sextant.js';

const EVENTS = Number(process.env['SEXTANT_BULK_EVENTS'] ?? 1_000_000);
const ROUNDS = 5;
const BATCH = 2_000;
const IN_FLIGHT = 3;
const ROOT = join(import.meta.dirname, '../..');
const TENANT = 'bulk';
const MUTATION =
  'mutation ($events: [EventInput!]!) { ingestEvents(events: $events) { accepted duplicates rejected { id code } } }';

type Row = { _id: string };
interface Spent {
  events: number;
  seconds: number;
}

/**
 * The graph and the driver take turns, so that a noisy machine is noisy for both. The driver writes the same documents, as
 * they lie in the store, on the same mongod with the same write concern, into a collection with no index but the one on _id.
 */
describe(`${EVENTS.toLocaleString('en')} simulated events`, () => {
  let sextant: RunningSextant;
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sextant-bulk-'));
    const customers = String(Math.ceil(EVENTS / 58));
    await runNode('simulator/dist/main.js', ['--customers', customers, '--seed', '7', '--out', folder]);
    sextant = await startSextant({ args: ['--empty'] });
  }, 300_000);
  afterAll(async () => {
    await sextant.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('go through the graph with exact counts, at no less than half the rate of the driver', async () => {
    const client = new MongoClient(sextant.access.mongodb);
    const token = await issueToken(sextant.dataDir, { tenant: TENANT, role: 'operator' });
    const stored = client.db().collection<Row>('events');
    const graph: Spent = { events: 0, seconds: 0 };
    const awaited: Spent = { events: 0, seconds: 0 };
    const parallel: Spent = { events: 0, seconds: 0 };
    let before = new Date(0);
    for await (const { bodies, events, until: last } of rounds(join(folder, 'events.ndjson'))) {
      add(graph, { events, seconds: await throughTheGraph(bodies, sextant.access.graphql, token) });
      await untilFolded(sextant.access.graphql, token);
      const rows = await stored
        .find({ tenantId: TENANT, at: { $gt: before, $lte: last } } as object)
        .toArray();
      add(awaited, await throughTheDriver(client.db('driver_awaited').collection<Row>('events'), rows, 1));
      add(
        parallel,
        await throughTheDriver(client.db('driver_parallel').collection<Row>('events'), rows, IN_FLIGHT),
      );
      before = last;
    }
    expect(await stored.countDocuments({ tenantId: TENANT } as object)).toBe(EVENTS);
    expect(graph.events).toBe(EVENTS);
    await client.close();

    const ratio = rate(graph) / rate(awaited);
    const figures = [graph, awaited, parallel].map((spent) => Math.round(rate(spent)).toLocaleString('en'));
    console.log(
      `ingest: graph ${figures[0]}/s (${IN_FLIGHT} calls at a time); insertMany ${figures[1]}/s one call after the other, ratio ${ratio.toFixed(2)} (bar 0.5); ` +
        `insertMany ${figures[2]}/s with ${IN_FLIGHT} calls at a time, ratio ${(rate(graph) / rate(parallel)).toFixed(2)}`,
    );
    expect(ratio).toBeGreaterThanOrEqual(0.5);
  }, 900_000);
});

/** Request bodies, made beforehand: a client's work is not ours. */
async function* rounds(path: string): AsyncGenerator<{ bodies: string[]; events: number; until: Date }> {
  const perRound = Math.ceil(EVENTS / ROUNDS);
  let lines: string[] = [];
  let taken = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    lines.push(line);
    taken += 1;
    if (lines.length < perRound && taken < EVENTS) continue;
    yield roundOf(lines);
    if (taken === EVENTS) return;
    lines = [];
  }
  throw new Error(`the simulator made ${taken} events only`);
}

function roundOf(lines: string[]): { bodies: string[]; events: number; until: Date } {
  const bodies: string[] = [];
  for (let start = 0; start < lines.length; start += BATCH) {
    const events = lines.slice(start, start + BATCH).join(',');
    bodies.push(`{"query":${JSON.stringify(MUTATION)},"variables":{"events":[${events}]}}`);
  }
  const last = JSON.parse(lines.at(-1) ?? '{}') as { at: string };
  return { bodies, events: lines.length, until: new Date(last.at) };
}

/** @returns seconds; every event of every body was accepted */
async function throughTheGraph(bodies: string[], url: string, token: string): Promise<number> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  return timed(bodies, IN_FLIGHT, async (body) => {
    const response = await fetch(url, { method: 'POST', headers, body });
    const { data, errors } = (await response.json()) as {
      data?: { ingestEvents: { accepted: number; duplicates: number; rejected: unknown[] } };
      errors?: unknown;
    };
    if (!data) throw new Error(`ingestion failed: ${JSON.stringify(errors).slice(0, 500)}`);
    const { accepted, duplicates, rejected } = data.ingestEvents;
    if (duplicates > 0 || rejected.length > 0 || accepted === 0)
      throw new Error(`counted ${JSON.stringify(data)}`);
  });
}

async function throughTheDriver(collection: Collection<Row>, rows: Row[], inFlight: number): Promise<Spent> {
  const batches = Array.from({ length: Math.ceil(rows.length / BATCH) }, (_, i) =>
    rows.slice(i * BATCH, (i + 1) * BATCH),
  );
  const seconds = await timed(batches, inFlight, async (batch) => {
    await collection.insertMany(batch, { ordered: false, writeConcern: { w: 'majority', journal: true } });
  });
  return { events: rows.length, seconds };
}

/** Features are computed behind large batches; the driver is not to pay for that. */
async function untilFolded(url: string, token: string): Promise<void> {
  await until('features folded', 300_000, async () => {
    const query = '{ ingestionStatus { pendingBatches } }';
    const { ingestionStatus } = await askOk<{ ingestionStatus: { pendingBatches: number } }>(
      url,
      token,
      query,
    );
    return ingestionStatus.pendingBatches === 0;
  });
}

async function timed<T>(items: T[], inFlight: number, work: (item: T) => Promise<void>): Promise<number> {
  const queue = items.values();
  const next = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: inFlight }, next));
  return (performance.now() - started) / 1000;
}

function add(total: Spent, more: Spent): void {
  total.events += more.events;
  total.seconds += more.seconds;
}

function rate({ events, seconds }: Spent): number {
  return events / seconds;
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
