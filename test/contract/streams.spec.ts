import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, type RunningGraph, startGraph } from './graph-processes.js';
import type { Order, Seen } from './stream-clients.js';

const TENANTS = ['north', 'south', 'east', 'west'];
/** Subscribers of each tenant and protocol: 1,000 over SSE and 1,000 over WebSockets. */
const EACH = 250;
const QUERY =
  'subscription($after: String) { customerDecisions(customerId: "cus_1", after: $after) { cursor decision { output } } }';

let graph: RunningGraph;
let client: MongoClient;
let db: Db;
let subscribers: ChildProcess;
let written = 0;

beforeAll(async () => {
  graph = await startGraph();
  client = await new MongoClient(graph.mongoUri).connect();
  db = client.db();
  subscribers = fork(join(ROOT, 'test/contract/stream-clients.ts'), { stdio: 'inherit' });
});
afterAll(async () => {
  subscribers?.kill();
  await client?.close();
  await graph?.stop();
});

async function asked<T>(message: object, key: string): Promise<T> {
  subscribers.send(message);
  for (;;) {
    const [answer] = (await once(subscribers, 'message')) as [Record<string, T>];
    const value = answer[key];
    if (value !== undefined) return value;
  }
}

/** The next events of every tenant, and one of somebody whom nobody listens to. */
async function write(count: number): Promise<void> {
  for (const n of Array.from({ length: count }, (_, i) => written + i)) {
    const rows = [...TENANTS, 'elsewhere'].map((tenantId) => decision(tenantId, n));
    await db.collection<{ _id: string }>('decisions').insertMany(rows);
  }
  written += count;
}

function decision(tenantId: string, n: number) {
  return {
    ...{
      _id: `dec_${tenantId}_${n}`,
      tenantId,
      kind: 'lead',
      subject: 'cus_1',
      customerId: 'cus_1',
      at: new Date(),
    },
    ...{
      modelVersion: `${tenantId}.lead@1`,
      rung: 'MODEL',
      fallbackReason: null,
      device: 'CPU',
      repeats: null,
    },
    ...{ input: {}, inputHash: 'x', propensity: null, output: { tenant: tenantId, n } },
  };
}

const everybodyHas = async (count: number): Promise<boolean> =>
  (await asked<number[]>({ do: 'count' }, 'counts')).every((has) => has >= count);

const untilEverybodyHasAll = () =>
  expect.poll(() => everybodyHas(written), { timeout: 60_000, interval: 200 }).toBe(true);

async function reconnects(): Promise<number> {
  const seen = await asked<Seen[]>({ do: 'report' }, 'seen');
  return seen.reduce((sum, subscriber) => sum + subscriber.reconnects, 0);
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(graph.metrics['gateway'] ?? '')).text();
  return Number(new RegExp(`^${name}(?:{[^}]*})? (\\d+)`, 'm').exec(text)?.[1]);
}

describe('1,000 subscribers over SSE and 1,000 over WebSockets, of four tenants', () => {
  it('get every event of their tenant exactly once and in order, whatever connection breaks', async () => {
    const tokens = Object.fromEntries(
      await Promise.all(TENANTS.map(async (tenant) => [tenant, await graph.tokenOf('analyst', tenant)])),
    ) as Record<string, string>;
    const order: Order = { url: graph.url, query: QUERY, tokens, each: EACH };
    expect(await asked<number>({ do: 'open', order }, 'ready')).toBe(8 * EACH);
    expect(await metric('sextant_gateway_stream_executions')).toBe(TENANTS.length);
    await write(20);
    await untilEverybodyHasAll();

    subscribers.send({ do: 'drop', share: 5 }); // every fifth connection, while events come
    await write(20);
    await untilEverybodyHasAll();

    const before = await reconnects();
    graph.killSubgraph('prediction');
    await write(10);
    await graph.reviveSubgraph('prediction');
    await write(5);
    await untilEverybodyHasAll();

    expect(await reconnects()).toBe(before); // a subgraph that dies is nothing that clients see

    const restarted = graph.restartGateway({});
    await write(10);
    await restarted;
    await write(5);
    await untilEverybodyHasAll();

    await write(1); // by now everybody is on one execution again
    await untilEverybodyHasAll();
    const all = Array.from({ length: written }, (_, n) => n);
    const seen = await asked<Seen[]>({ do: 'report' }, 'seen');
    expect(seen.filter(({ wrong }) => wrong.length > 0).slice(0, 5)).toEqual([]);
    const odd = seen.filter(({ numbers }) => JSON.stringify(numbers) !== JSON.stringify(all));
    expect(odd.slice(0, 5)).toEqual([]);
    expect(seen).toHaveLength(8 * EACH);
    expect(await metric('sextant_gateway_stream_executions')).toBe(TENANTS.length);
  }, 180_000);
});
