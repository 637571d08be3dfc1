// CPU a call costs the caller: the pool of libs/inference-protocol beside a bare client of grpc-js, in turn, against one worker process.
//
//   tsc -b libs/inference-protocol && node bench/inference/client.mjs [--calls 3000] [--callers 32] [--repeat 9]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { createDecisionsClient, decisionsService } from '@sextant/inference-protocol';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '3000' },
    callers: { type: 'string', default: '32' },
    repeat: { type: 'string', default: '9' },
  },
});
const [calls, callers, repeat] = [values.calls, values.callers, values.repeat].map(Number);
const WORKER = fileURLToPath(
  new URL('../../libs/inference-protocol/dist/testing/worker.process.js', import.meta.url),
);
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const request = { model: 'demo.recommend', rows: [{ history: ['a', 'b'], first: 3 }] };

const clients = [];
const worker = fork(WORKER);
const [port] = await once(worker, 'message');
const address = `127.0.0.1:${port}`;
const contestants = {
  'grpc-js': bare(),
  pool: pooled({}),
  'pool, 4 connections': pooled({ channelsPerEndpoint: 4 }),
  'pool, health watched, hedges after p95': pooled({
    watchHealth: true,
    hedging: { quantile: 0.95, leastDelayMs: 2 },
  }),
};
const micros = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
while (!clients.every(({ pool }) => pool.list().every(({ state }) => state === 'ready'))) await setTimeout(5);
for (const ask of Object.values(contestants)) await cpuOf(ask);
for (let round = 0; round < repeat; round += 1) {
  for (const [name, ask] of Object.entries(contestants)) micros[name].push(await cpuOf(ask));
}
const base = median(micros['grpc-js']);
process.stdout.write('| client | CPU µs a call | × grpc-js |\n|---|---:|---:|\n');
for (const [name, each] of Object.entries(micros)) {
  process.stdout.write(`| ${name} | ${median(each).toFixed(1)} | ${(median(each) / base).toFixed(2)} |\n`);
}
worker.kill();
process.exit(0);

function bare() {
  const client = new Client(address, credentials.createInsecure());
  const { path, requestSerialize, responseDeserialize } = decisionsService.Recommend;
  return () =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      metadata.set('traceparent', TRACEPARENT);
      const done = (error, response) => (error ? reject(error) : resolve(response));
      const options = { deadline: Date.now() + 10_000 };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, done);
    });
}

function pooled(options) {
  const client = createDecisionsClient({ address, ...options });
  clients.push(client);
  return () => client.recommend(request, { deadlineMs: 10_000, traceparent: TRACEPARENT });
}

/** Microseconds of this process, user and system, a call. */
async function cpuOf(ask) {
  const before = process.cpuUsage();
  let left = calls;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      await ask();
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
