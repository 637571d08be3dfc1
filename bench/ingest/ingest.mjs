/* global fetch */
// Rate of ingestEvents against the native driver's unordered insertMany of the same documents on the same mongod.
//
//   npm run build && node bench/ingest/ingest.mjs [--gateway] [--replay] [--events 200000] [--customers 5000] [--batch 5000] [--callers 3]
//
// mongod, customer subgraph and, with --gateway, the gateway run in processes of their own, as in production. Rows are
// made while the clock runs, for both sides alike. SUBGRAPH_NODE_FLAGS and GATEWAY_NODE_FLAGS take e.g. --cpu-prof.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { signRequest } from '@sextant/platform';
import { freePort } from '@sextant/local-services';
import { startMongoServer } from '@sextant/testing';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { MongoClient } from 'mongodb';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '200000' },
    customers: { type: 'string', default: '5000' },
    batch: { type: 'string', default: '5000' },
    callers: { type: 'string', default: '3' },
    gateway: { type: 'boolean', default: false },
    replay: { type: 'boolean', default: false },
  },
});
const [events, customers, batch, callers] = [
  values.events,
  values.customers,
  values.batch,
  values.callers,
].map(Number);
const SECRET = 'a secret of thirty-two characters';
const QUERY =
  'mutation($e:[EventInput!]!){ ingestEvents(events:$e){ accepted duplicates rejected{ id code path } } }';
/** As the launcher and the images start the processes. */
const YOUNG_GENERATION = '--max-semi-space-size=64';
const STOP_LIMIT_MS = 15_000;
const START = Date.UTC(2026, 0, 1);

/** The nth event of a company in time order; deterministic, of the demo's mix and size. */
function eventOf(i) {
  const customer = createHash('md5').update(String(i)).digest().readUInt32LE(0) % customers;
  const product = `p${(i * 7919) % 500}`;
  const common = {
    id: `evt_${i.toString(36).padStart(8, '0')}`,
    at: new Date(START + i * 1_000).toISOString(),
    customerRef: `shop:${customer}`,
  };
  if (i % 10 < 4)
    return {
      ...common,
      type: 'page_visit',
      properties: { channel: 'search', device: 'mobile', durationSeconds: i % 300 },
    };
  if (i % 10 < 8)
    return {
      ...common,
      type: 'product_view',
      properties: { productId: product, price: '12.90', currency: 'EUR' },
    };
  if (i % 10 < 9)
    return { ...common, type: 'email_sent', properties: { messageId: `m${i}`, campaignId: 'c1' } };
  return {
    ...common,
    type: 'order',
    properties: {
      orderId: `o${i}`,
      currency: 'EUR',
      lines: [{ productId: product, quantity: 1, unitPrice: '12.90' }],
    },
  };
}

/** Runs `work` for every batch number, `callers` at a time; seconds. */
async function timed(work, callersNow = callers) {
  const batches = Math.ceil(events / batch);
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(
    Array.from({ length: callersNow }, async () => {
      while (next < batches) await work(next++);
    }),
  );
  return (performance.now() - startedMs) / 1_000;
}

const rowsOf = (n) =>
  Array.from({ length: Math.min(batch, events - n * batch) }, (_, i) => eventOf(n * batch + i));

async function insertMany(client, callersNow) {
  const collection = client
    .db(`bench_driver_${callersNow}`)
    .collection('events', { writeConcern: { w: 'majority', journal: true } });
  return timed(async (n) => {
    const documents = rowsOf(n).map(({ id, at, customerRef, ...event }) => ({
      _id: `demo:${id}`,
      tenantId: 'demo',
      customerId: `cus_${customerRef.padStart(24, '0')}`,
      ...event,
      at: new Date(at),
    }));
    await collection.insertMany(documents, { ordered: false });
  }, callersNow);
}

async function through(url, headersOf) {
  const counts = { accepted: 0, duplicates: 0, rejected: 0 };
  const seconds = await timed(async (n) => {
    const body = JSON.stringify({ query: QUERY, variables: { e: rowsOf(n) } });
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headersOf(body) },
    });
    const answer = await response.json();
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    const { accepted, duplicates, rejected } = answer.data.ingestEvents;
    counts.accepted += accepted;
    counts.duplicates += duplicates;
    counts.rejected += rejected.length;
  });
  return { seconds, counts };
}

async function startProcess(program, variables, { flags, health }) {
  const [port, metricsPort] = [await freePort(), await freePort()];
  const ports = {
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'warn',
    SEXTANT_SIGNING_SECRET: SECRET,
    SEXTANT_AUDIT_SECRET: 'what links the log has forty letters or so',
  };
  const env = { ...process.env, ...ports, NODE_ENV: 'production', ...variables };
  const child = spawn(process.execPath, [YOUNG_GENERATION, ...(flags?.split(' ') ?? []), program], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = once(child, 'exit'); // listened for from the start: a process may end before it is told to
  const ready = `http://127.0.0.1:${metricsPort}/health/${health}`;
  for (let i = 0; i < 300; i++) {
    if (
      await fetch(ready).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    await pause(100);
  }
  return {
    url: `http://127.0.0.1:${port}/graphql`,
    pid: child.pid,
    stop: async () => {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      await ended.finally(() => clearTimeout(killer));
    },
  };
}

const startSubgraph = (uri) =>
  startProcess(
    'subgraphs/customer/dist/main.js',
    { MONGODB_URI: uri, MONGODB_TIMEOUT_MS: '30000' },
    { flags: process.env.SUBGRAPH_NODE_FLAGS, health: 'ready' },
  );

/** The gateway with a key of its own, and a token for it. */
async function startGateway(customerUrl, uri) {
  const folder = await mkdtemp(join(tmpdir(), 'sextant-bench-'));
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  await writeFile(
    join(folder, 'jwks.json'),
    JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'bench' }] }),
  );
  const token = await new SignJWT({
    tenant: 'demo',
    roles: ['operator'],
    scope: 'events:write customer:read',
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
    .setSubject('bench')
    .setIssuer('sextant-local')
    .setAudience('sextant')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  const variables = {
    CUSTOMER_URL: customerUrl,
    MONGODB_URI: uri,
    SEXTANT_JWKS: join(folder, 'jwks.json'),
    SEXTANT_UPSTREAM_TIMEOUT_MS: '30000',
  };
  const running = await startProcess('gateway/dist/main.js', variables, {
    flags: process.env.GATEWAY_NODE_FLAGS,
    health: 'live',
  });
  const stop = () => running.stop().then(() => rm(folder, { recursive: true }));
  return { ...running, stop, headers: () => ({ authorization: `Bearer ${token}` }) };
}

const report = (name, seconds) =>
  console.log(
    `${name.padEnd(28)} ${Math.round(events / seconds).toLocaleString('en')} events/s (${seconds.toFixed(1)} s)`,
  );

const identity = { subject: 'bench', tenantId: 'demo', roles: ['operator'], scopes: ['events:write'] };
const sign = (body) =>
  signRequest({ receiver: 'customer', method: 'POST', path: '/graphql', body }, identity, {
    secret: SECRET,
    nowMs: Date.now(),
  });
const mongo = await startMongoServer();
const client = await new MongoClient(mongo.uri).connect();
const subgraph = await startSubgraph(mongo.uri.replace('/?', '/bench_graph?'));
const gateway = values.gateway
  ? await startGateway(subgraph.url, mongo.uri.replace('/?', '/bench_graph?'))
  : null;
const send = () => (gateway ? through(gateway.url, gateway.headers) : through(subgraph.url, sign));
/** CPU seconds that a process has used, in all and in the kernel, on Linux; the tick is a hundredth of a second. */
function cpuSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    const [user, system] = [Number(fields[11]) / 100, Number(fields[12]) / 100];
    return { all: user + system, system };
  } catch {
    return { all: NaN, system: NaN };
  }
}

const processes = {
  caller: process.pid,
  mongod: mongo.pid,
  subgraph: subgraph.pid,
  ...(gateway && { gateway: gateway.pid }),
};

/** Runs one phase and prints its rate and what each process spent on an event. */
async function phase(name, run) {
  const before = Object.values(processes).map(cpuSeconds);
  const outcome = await run();
  const seconds = outcome.seconds ?? outcome;
  const anEvent = (cpu) => ((cpu / events) * 1e6).toFixed(1);
  const spent = Object.entries(processes).map(([who, pid], i) => {
    const now = cpuSeconds(pid);
    return `${who} ${anEvent(now.all - before[i].all)} (${anEvent(now.system - before[i].system)})`;
  });
  report(name, seconds);
  console.log(`  CPU, microseconds an event (of it in the kernel): ${spent.join(', ')}`);
  return outcome;
}

try {
  console.log(
    `${events} events of ${customers} customers, ${batch} a batch, ${callers} callers, ${cpus().length} cores (${cpus()[0].model}), Node ${process.version}`,
  );
  const alone = await phase('driver, one after the other', () => insertMany(client, 1));
  const driver = await phase(`driver, ${callers} at a time`, () => insertMany(client, callers));
  const graph = await phase(gateway ? 'graph, through the gateway' : 'graph, customer subgraph', send);
  const ratios = [alone, driver].map((seconds) => (seconds / graph.seconds).toFixed(2));
  console.log(
    `ratio to the driver one after the other ${ratios[0]}, ${callers} at a time ${ratios[1]}; counts ${JSON.stringify(graph.counts)}`,
  );
  if (values.replay) {
    const replay = await phase('the same batches again', send);
    console.log(`counts ${JSON.stringify(replay.counts)}`);
  }
} finally {
  await gateway?.stop();
  await subgraph.stop();
  await client.close();
  await mongo.stop();
}
